"""For each rule a mistake, or several: the rule, and texts of the clean sample, each with its
replacement."""

from __future__ import annotations

POOL = "inference.networking.k8s.io, kind: InferencePool"
LLAMA = """\
        - group: inference.networking.k8s.io
          kind: InferencePool
          name: llama
          namespace: models
"""
LLAMA_MATCH = "            - { type: Exact, name: x-ai-eg-model, value: llama }\n"
EMBED = "        - { group: inference.networking.k8s.io, kind: InferencePool, name: embed }\n"
EMBED_MATCH = "        - path: { type: PathPrefix, value: /embed }\n"
MODE = "processing-body-mode: buffered"
OVERRIDE = 'allow-mode-override: "true"'
PORTS = "    - number: 8000\n    - number: 8001\n"
PICKER = "    name: llama-epp\n    port: { number: 9002 }\n"
SERVICE = "    - { name: grpc, port: 9002, targetPort: grpc }\n"
ACCOUNT = "kind: ServiceAccount\nmetadata: { name: llama-epp, namespace: models }\n"
GPT = "            - { type: Exact, name: x-ai-eg-model, value: gpt }\n"


def _embed(more: str) -> str:
    return EMBED.replace("name: embed }", f"name: embed, {more} }} # here")


MISTAKES: list[tuple[str, ...]] = [
    (
        "one-pool-per-rule",
        EMBED_MATCH + "      backendRefs:\n" + EMBED,
        EMBED_MATCH.replace("\n", " # also pool-matched-twice\n")
        + "      backendRefs:\n"
        + EMBED
        + EMBED.replace("name: embed }", "name: llama } # here"),
    ),
    ("mixed-backends", LLAMA, LLAMA + "        - name: openai # here\n"),
    (
        "group-with-kind",
        "        - name: azure\n",
        "        - name: azure\n          group: inference.networking.k8s.io # here\n",
    ),
    (
        "group-with-kind",
        "        - name: azure\n",
        "        - name: azure\n          kind: AIServiceBackend # here\n",
    ),
    (
        "backend-kind",
        "        - name: azure\n",
        "        - name: azure\n"
        "          group: aigateway.envoyproxy.io # here\n"
        "          kind: AIServiceBackend\n",
    ),
    (
        "backend-kind",
        "        - name: openai\n",
        "        - name: openai\n          kind: Service\n          group: apps # here\n",
    ),
    (
        "backend-kind",
        LLAMA,
        LLAMA.replace("inference.networking.k8s.io", "inference.networking.x-k8s.io # here"),
    ),
    (
        "backend-kind",
        EMBED,
        "        - { kind: InferencePool, name: embed } # here\n",
    ),
    ("pool-port", EMBED, _embed("port: 8080")),
    (
        "pool-fields-ignored",
        LLAMA,
        LLAMA
        + "          modelNameOverride: llama-3 # here\n"
        + "          headerMutation: { set: [] } # here\n"
        + "          bodyMutation: { set: [] } # here\n"
        + "          priority: 0 # here\n",
    ),
    ("pool-weight", EMBED, _embed("weight: 90")),
    ("pool-weight", EMBED, _embed("weight: 0")),
    (
        "too-many-rules",
        "  llmRequestCosts:\n",
        "".join(
            f"    - {{ matches: [{{ headers: [{{ name: x-ai-eg-model, value: m{i} }}] }}] }}"
            + (" # here\n" if i == 13 else "\n")
            for i in range(15)
        )
        + "  llmRequestCosts:\n",
    ),
    (
        "too-many-matches",
        "        - headers:\n" + GPT,
        "".join(
            f"        - headers: [{{ name: x-ai-eg-model, value: m{i} }}]"
            + (" # here\n" if i == 128 else "\n")
            for i in range(130)
        ),
    ),
    (
        "too-many-backends",
        "        - name: openai\n          weight: 3\n",
        "".join(f"        - name: b{i}{' # here' if i == 128 else ''}\n" for i in range(129)),
    ),
    (
        "too-many-headers",
        GPT,
        "".join(
            f"            - {{ name: h{i}, value: v }}{' # here' if i == 16 else ''}\n"
            for i in range(17)
        ),
    ),
    (
        "pool-matched-twice",
        EMBED_MATCH,
        EMBED_MATCH + "        - path: { type: PathPrefix, value: /v2/embed } # here\n",
    ),
    (
        "pool-matched-twice",
        "        - headers:\n" + LLAMA_MATCH,
        "        - headers:\n"
        + LLAMA_MATCH
        + "        - headers: # here\n"
        + LLAMA_MATCH.replace("llama", "llama-lora"),
    ),
    (
        "same-match-twice",
        "        - headers:\n" + GPT,
        "        - headers:\n" + GPT + "        - headers: # here\n" + GPT,
    ),
    (
        "model-header-unset",
        EMBED_MATCH,
        "        - headers: [{ name: X-AI-EG-Model, value: embed }] # here\n",
    ),
    ("bad-duration", "        request: 10m\n", "        request: ten minutes # here\n"),
    ("bad-duration", "        request: 10m\n", "        request: 600 # here\n"),
    ("bad-duration", "        request: 10m\n", "        request: 1.5h # here\n"),
    ("short-timeout", "        request: 10m\n", "        request: 60s # here\n"),
    (
        "short-timeout",
        "        request: 10m\n",
        "        request: 10m\n        backendRequest: 5s # here\n",
    ),
    ("short-timeout", "      timeouts: { request: 0s }\n", "      timeouts: {} # here\n"),
    ("unknown-pool", LLAMA, LLAMA.replace("name: llama\n", "name: llamas # here\n")),
    (
        "missing-reference-grant",
        LLAMA,
        LLAMA.replace("namespace: models", "namespace: models # here"),
        "namespace: team }\n  to:",
        "namespace: crew }\n  to:",
    ),
    (
        "missing-reference-grant",
        LLAMA,
        LLAMA.replace("namespace: models", "namespace: models # here"),
        "kind: InferencePool }\n---",
        "kind: InferencePool, name: embed }\n---",
    ),
    (
        "pool-version",
        "  endpointPickerRef: { name: embed-epp, port: { number: 9002 } }\n",
        "  endpointPickerRef: { name: embed-epp, port: { number: 9002 } }\n"
        "---\n"
        "apiVersion: inference.networking.x-k8s.io/v1alpha2 # here\n"
        "kind: InferencePool\n"
        "metadata: { name: old, namespace: models }\n"
        "spec: { targetPortNumber: 8000 }\n",
    ),
    (
        "route-version",
        "apiVersion: aigateway.envoyproxy.io/v1beta1\n",
        "apiVersion: aigateway.envoyproxy.io/v1alpha1 # here\n",
    ),
    ("target-ports-count", "  targetPorts:\n" + PORTS, "  targetPorts: [] # here\n"),
    (
        "target-ports-count",
        "  targetPorts:\n" + PORTS,
        "  targetPorts: # here\n" + "".join(f"    - number: {8000 + i}\n" for i in range(9)),
    ),
    ("target-port-range", PORTS, "    - number: 0 # here\n    - number: 65536 # here\n"),
    ("target-port-range", PORTS, '    - number: "8000" # here\n    - {} # here\n'),
    ("target-port-twice", PORTS, PORTS + "    - number: 8000 # here\n"),
    (
        "selector-missing",
        "  selector:\n    matchLabels: { app: llama }\n",
        "  selector: {} # here\n",
    ),
    (
        "selector-missing",
        "  selector:\n    matchLabels: { app: llama }\n",
        "  selector: { matchExpressions: [{ key: app, operator: Exists }] } # here\n",
    ),
    (
        "selector-matches-nothing",
        "    matchLabels: { app: llama }\n",
        "    matchLabels: { app: llamas } # here\n",
    ),
    ("fail-open-ignored", "failureMode: FailClose\n", "failureMode: FailOpen # here\n"),
    (
        "app-protocol",
        "  targetPorts: [{ number: 8080 }]\n",
        "  targetPorts: [{ number: 8080 }]\n  appProtocol: kubernetes.io/h2c # here\n",
    ),
    ("annotation-type", 'allow-mode-override: "false"', "allow-mode-override: false # here"),
    ("annotation-slash", MODE, "processing-body-mode: a/b # here"),
    ("annotation-slash", 'allow-mode-override: "false"', "allow-mode-override: no/yes # here"),
    ("body-mode-value", MODE, "processing-body-mode: Buffered # here"),
    ("body-mode-value", MODE, 'processing-body-mode: "" # here'),
    ("mode-override-value", 'allow-mode-override: "false"', 'allow-mode-override: "True" # here'),
    ("mode-override-value", 'allow-mode-override: "false"', 'allow-mode-override: "1" # here'),
    (
        "annotation-name",
        "processing-body-mode: duplex",
        "processing-bodymode: duplex # here",
    ),
    (
        "annotation-misplaced",
        "  name: chat\n",
        "  name: chat\n"
        "  annotations:\n"
        '    aigateway.envoyproxy.io/allow-mode-override: "true" # here\n',
    ),
    ("stream-held-back", f"{MODE}\n    aigateway.envoyproxy.io/{OVERRIDE}", f"{MODE} # here"),
    (
        "buffer-limit",
        "    bufferLimit: 50Mi\n",
        "    bufferLimit: 32Ki\n",
        "  name: chat\n",
        "  name: chat # here\n",
        "  name: embed\n  namespace: models\nspec:\n  parentRefs",
        "  name: embed # here\n  namespace: models\nspec:\n  parentRefs",
    ),
    (
        "buffer-limit",
        "kind: Gateway, name: ai }\n  connection:",
        "kind: Gateway, name: other }\n  connection:",
        "  name: chat\n",
        "  name: chat # here\n",
        "  name: embed\n  namespace: models\nspec:\n  parentRefs",
        "  name: embed # here\n  namespace: models\nspec:\n  parentRefs",
    ),
    (
        "buffer-above-picker",
        "    bufferLimit: 50Mi\n",
        "    bufferLimit: 52428801 # here\n",
    ),
    (
        "picker-missing",
        "  endpointPickerRef:\n" + PICKER,
        "  endpointPickerRef: # here\n",
    ),
    ("picker-kind", PICKER, "    kind: Deployment # here\n" + PICKER),
    ("picker-kind", PICKER, "    group: apps # here\n" + PICKER),
    ("picker-port", PICKER, "    name: llama-epp\n    port: { number: 0 } # here\n"),
    ("picker-port", PICKER, "    name: llama-epp\n    port: { number: 65536 } # here\n"),
    (
        "picker-service-unknown",
        PICKER,
        PICKER.replace("name: llama-epp\n", "name: llamas-epp # here\n"),
    ),
    ("picker-service-port", PICKER, PICKER.replace("9002 }", "9003 } # here")),
    ("picker-headless-port", SERVICE, SERVICE.replace("grpc }", "9000 } # here")),
    (
        "picker-not-headless",
        "spec:\n  clusterIP: None\n  selector: { app: llama-epp }\n",
        "spec: # here\n  selector: { app: llama-epp }\n",
    ),
    (
        "picker-insecure",
        "            - --pool=models/llama\n",
        "            - --pool=models/llama\n            - --insecure # here\n",
    ),
    (
        "picker-insecure",
        "          args: [--pool-name=embed]\n",
        "          args:\n            - --secure-serving=false # here\n",
    ),
    (
        "picker-selected",
        "    matchLabels: { app: llama }\n",
        "    matchLabels: { app: llama-epp } # here\n",
    ),
    ("picker-pool", "--pool=models/llama\n", "--pool=models/embed # here\n"),
    (
        "picker-grace",
        "terminationGracePeriodSeconds: 340\n",
        "terminationGracePeriodSeconds: 339 # here\n",
    ),
    (
        "extension-fail-open",
        ACCOUNT,
        ACCOUNT
        + """---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: { name: picker, namespace: models }
spec:
  extProc:
    - backendRefs: [{ name: llama-epp, port: 9002 }]
      failOpen: true # here
""",
    ),
    (
        "extension-timeout",
        ACCOUNT,
        ACCOUNT
        + """---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: { name: picker, namespace: models }
spec:
  extProc:
    - backendRefs: [{ name: llama-epp, port: 9002 }]
      processingMode: { request: { body: Buffered } }
      messageTimeout: 300ms # here
""",
    ),
    (
        "extension-timeout",
        ACCOUNT,
        ACCOUNT
        + """---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: { name: picker, namespace: models }
spec:
  extProc:
    - backendRefs: [{ name: llama-epp, port: 9002 }] # here
      processingMode: { request: { body: Buffered } }
""",
    ),
    (
        "picker-role",
        "rules:\n  - apiGroups: [inference.networking.k8s.io]\n    resources: [inferencepools]\n"
        "    verbs: [get, list, watch]\n",
        "rules: # here\n  - apiGroups: [inference.networking.k8s.io]\n"
        "    resources: [inferencepools]\n    verbs: [get, list]\n",
    ),
    (
        "picker-unbound",
        "      serviceAccountName: llama-epp\n      terminationGrace",
        "      serviceAccountName: llamas-epp # here\n      terminationGrace",
    ),
    ("cost-type", "type: TotalToken }\n", "type: TotalTokens } # here\n"),
    (
        "cost-type",
        ', cel: "input_tokens + uint(4) * output_tokens" }\n',
        " } # here\n",
    ),
    ("cost-unknown", "key: llm_total_token }\n", "key: llm_total_tokens } # here\n"),
]
