"""Objects as tests need them."""

from __future__ import annotations

from tests.fakekube.kinds import Fields


def pod(name: str, *, ip: str = "10.0.0.1", ready: bool = True, **labels: str) -> Fields:
    """Return a pod of a model server; keywords are its labels."""
    condition = {"type": "Ready", "status": str(ready)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        # a scheduler that no cluster has: a real one leaves the pod alone
        "spec": {"containers": [{"name": "server", "image": "none"}], "schedulerName": "nobody"},
        "status": {"phase": "Running", "podIP": ip, "conditions": [condition]},
    }


def pool(name: str, *ports: int, **labels: str) -> Fields:
    """Return an InferencePool that selects pods by labels."""
    return {
        "apiVersion": "inference.networking.k8s.io/v1",
        "kind": "InferencePool",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "targetPorts": [{"number": port} for port in ports],
            "endpointPickerRef": {"name": "epp", "port": {"number": 9002}},
        },
    }


def lease(holder: str, name: str = "epp") -> Fields:
    """Return a Lease that somebody holds."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name},
        "spec": {"holderIdentity": holder},
    }


def objective(name: str, priority: int, *, of: str = "chat") -> Fields:
    """Return an InferenceObjective of a pool."""
    return {
        "apiVersion": "llm-d.ai/v1alpha2",
        "kind": "InferenceObjective",
        "metadata": {"name": name},
        "spec": {
            "poolRef": {"group": "inference.networking.k8s.io", "name": of},
            "priority": priority,
        },
    }
