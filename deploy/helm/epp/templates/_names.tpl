{{- define "epp.release" -}}
{{- .Values.nameOverride | default .Release.Name -}}
{{- end -}}

{{- define "epp.name" -}}
{{ include "epp.release" . }}-epp
{{- end -}}

{{- define "epp.pool" -}}
{{- .Values.pool.name | default (include "epp.release" .) -}}
{{- end -}}

{{- define "epp.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "epp.name" .) -}}
{{- end -}}

{{- define "epp.selector" -}}
app.kubernetes.io/name: epp
app.kubernetes.io/instance: {{ include "epp.name" . }}
{{- end -}}

{{- define "epp.metadata" -}}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "epp.selector" . | nindent 2 }}
  app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ .Release.Service }}
  helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /* As llm-d's pickers call it, so that the two never decide at the same time. */ -}}
{{- define "epp.lease" -}}
epp-{{ .Release.Namespace }}-{{ include "epp.pool" . }}.llm-d.ai
{{- end -}}
