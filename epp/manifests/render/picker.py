"""What runs a pool's picker."""

from __future__ import annotations

from epp.manifests.render.pool import Pool
from epp.manifests.render.routing import GRPC_PORT
from epp.manifests.render.yaml_text import Noted, Value

_HEALTH_PORT = 9003
_METRICS_PORT = 9090
_PRE_STOP_S = 40
_KILL_MARGIN_S = 20
_USER = 65_532


def deployment(pool: Pool) -> dict[str, Value]:
    """Return the Deployment."""
    labels: Value = {"matchLabels": dict(pool.picker_labels)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(pool),
        "spec": {
            "replicas": pool.options.replicas,
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "selector": labels,
            "template": {"metadata": {"labels": dict(pool.picker_labels)}, "spec": _pod(pool)},
        },
    }


def _pod(pool: Pool) -> dict[str, Value]:
    apart: Value = {
        "weight": 100,
        "podAffinityTerm": {
            "topologyKey": "kubernetes.io/hostname",
            "labelSelector": {"matchLabels": dict(pool.picker_labels)},
        },
    }
    return {
        "serviceAccountName": pool.picker,
        "automountServiceAccountToken": True,
        "terminationGracePeriodSeconds": Noted(
            _PRE_STOP_S + pool.drain_s + _KILL_MARGIN_S,
            "More than preStop and --drain-timeout together: answers that are open when the picker "
            "is killed are lost.",
        ),
        "affinity": {
            "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [apart]}
        },
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(pool)],
    }


def _container(pool: Pool) -> dict[str, Value]:
    return {
        "name": "epp",
        "image": pool.image,
        "args": _arguments(pool),
        "ports": [
            {"name": "grpc", "containerPort": GRPC_PORT},
            {"name": "health", "containerPort": _HEALTH_PORT},
            {"name": "metrics", "containerPort": _METRICS_PORT},
        ],
        "readinessProbe": {
            "grpc": {"port": _HEALTH_PORT, "service": "readiness"},
            "periodSeconds": 5,
            "timeoutSeconds": 2,
        },
        "livenessProbe": {
            "grpc": {"port": _HEALTH_PORT, "service": "liveness"},
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": Noted(
                6, "A restart loses all open answers: it is for a picker that is dead, not slow."
            ),
        },
        "lifecycle": {
            "preStop": {
                "sleep": Noted(
                    {"seconds": _PRE_STOP_S},
                    "Go on serving until no gateway has this address any more.",
                )
            }
        },
        "resources": {
            "requests": {"cpu": "1", "memory": "256Mi"},
            "limits": Noted(
                {"memory": pool.memory},
                "1Gi, and room for 20 of the longest requests at a time. None on the processor: a "
                "throttled picker holds up every request.",
            ),
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _arguments(pool: Pool) -> list[Value]:
    return [
        "serve",
        f"--pool={pool.namespace}/{pool.name}",
        Noted(
            f"--max-body-bytes={pool.request_limit_bytes}",
            f"The Gateway's bufferLimit, {pool.request_limit}, for a body comes as one message.",
        ),
        Noted(
            f"--drain-timeout={pool.drain_s}",
            "The longest answer that a restart of the picker may not cut.",
        ),
        "--log-format=json",
    ]


def service(pool: Pool) -> dict[str, Value]:
    """Return the Service that the pool refers to."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(pool),
        "spec": {
            "clusterIP": Noted(
                "None",
                "Headless, so that Envoy sees every picker. With an address it would keep one "
                "connection, and all requests would go to the picker at its end.",
            ),
            "selector": dict(pool.picker_labels),
            "ports": [{"name": "grpc", "port": GRPC_PORT, "targetPort": "grpc"}],
        },
    }


def disruption_budget(pool: Pool) -> dict[str, Value]:
    """Return the PodDisruptionBudget."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": _metadata(pool),
        "spec": {
            "selector": {"matchLabels": dict(pool.picker_labels)},
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }


def _metadata(pool: Pool) -> dict[str, Value]:
    return {
        "name": pool.picker,
        "namespace": pool.namespace,
        "labels": dict(pool.picker_labels),
    }
