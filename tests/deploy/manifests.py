"""Everything in deploy/ that Kubernetes would be given, as it would be given."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import helm_python
import msgspec
import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "epp"

Object = dict[str, Any]

KUSTOMIZATIONS = ("kubernetes", "envoy-gateway", "sidecar")
COMPONENTS = ("pod-monitor", "leader-election")
ALL_POOLS = ("all-pools",)  # which no other component goes with

# Values with which the chart is tried; the last has all that do not exclude each other.
VALUES: dict[str, Object] = {
    "default": {},
    "small": {
        "replicas": 1,
        "pool": {"create": False, "name": "llama"},
        "networkPolicy": {"enabled": False},
        "podDisruptionBudget": {"enabled": False},
        "picker": {"insecure": True, "observeResponses": "headers"},
    },
    "standby": {"leaderElection": True, "pool": {"name": "llama"}},
    "all": {
        "nameOverride": "qwen",
        "image": {
            "repository": "registry.example.com/team/epp",
            "pullPolicy": "Always",
            "pullSecrets": [{"name": "registry"}],
        },
        "replicas": 3,
        "pool": {
            "name": "qwen-72b",
            "bodyMode": "buffered",
            "allowModeOverride": True,
            "failureMode": "FailOpen",
            "selector": {"app": "qwen", "tier": "gpu"},
            "targetPorts": [8000, 8001],
            "annotations": {"team": "search"},
        },
        "picker": {
            "maxBodyBytes": 104857600,
            "drainTimeoutSeconds": 600,
            "settleSeconds": 10,
            "logLevel": "debug",
            "config": "apiVersion: llm-d.ai/v1alpha1\nkind: EndpointPickerConfig\n",
            "tlsSecret": "epp-tls",
            "extraArgs": ["--decisions=1000"],
        },
        "service": {"annotations": {"a": "b"}},
        "serviceAccount": {"name": "reader", "annotations": {"a": "b"}},
        "podDisruptionBudget": {"maxUnavailable": "50%"},
        "networkPolicy": {
            "gatewayNamespaces": ["gateways", "more"],
            "monitoringNamespaces": [],
            "apiServerPorts": [8443],
            "extraEgress": [{"ports": [{"port": 4317}]}],
        },
        "podMonitor": {"enabled": True, "interval": "5s", "labels": {"release": "prometheus"}},
        "podAnnotations": {"c": "d"},
        "podLabels": {"e": "f"},
        "nodeSelector": {"kubernetes.io/arch": "amd64"},
        "tolerations": [{"key": "gateway", "operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "epp"}},
            }
        ],
        "priorityClassName": "system-cluster-critical",
    },
}


class Install(msgspec.Struct, frozen=True):
    """What one command applies."""

    name: str
    objects: Sequence[Object]

    def all(self, kind: str) -> list[Object]:
        return [found for found in self.objects if found["kind"] == kind]

    def one(self, kind: str, name: str = "") -> Object:
        (found,) = (o for o in self.all(kind) if name in {"", o["metadata"]["name"]})
        return found

    def has(self, kind: str, name: str) -> bool:
        return any(found["metadata"]["name"] == name for found in self.all(kind))


def with_components(names: Sequence[str]) -> list[Object]:
    """deploy/kubernetes with what is commented out in it."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(os.path.relpath(DEPLOY / "kubernetes", Path(folder).resolve()))
        components = [str(base / name) for name in names]
        overlay = {"namespace": "default", "resources": [str(base)], "components": components}
        Path(folder, "kustomization.yaml").write_text(yaml.safe_dump(overlay))
        return kustomize(Path(folder).resolve())


def kustomize(folder: Path) -> list[Object]:
    """What `kubectl apply -k` would apply."""
    kubectl = Path(sys.executable).with_name("kubectl")
    result = subprocess.run(
        [kubectl, "kustomize", folder], capture_output=True, text=True, check=False, timeout=30
    )
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    return documents(result.stdout)


def documents(text: str) -> list[Object]:
    return [found for found in yaml.safe_load_all(text) if found is not None]


def helm(values: Object, name: str = "vllm", namespace: str = "models") -> list[Object]:
    """What `helm install` would apply."""
    with helm_python.Chart.load(CHART) as chart:
        files = chart.render(values, name=name, namespace=namespace)
    return [
        found
        for path, text in sorted(files.items())
        if not path.endswith("NOTES.txt")
        for found in documents(text)
    ]


@functools.cache
def installs() -> dict[str, Install]:
    """Each way to install, by a name for test reports."""
    folders = {name: kustomize(DEPLOY / name) for name in KUSTOMIZATIONS}
    folders["components"] = with_components(COMPONENTS)
    folders["all-pools"] = with_components(ALL_POOLS)
    charts = {f"helm-{name}": helm(values) for name, values in VALUES.items()}
    return {name: Install(name, objects) for name, objects in (folders | charts).items()}


def ai_gateway() -> Iterator[tuple[str, Object]]:
    """The samples that come with no kustomization, with their files' names."""
    for path in sorted((DEPLOY / "ai-gateway").glob("*.yaml")):
        if not path.name.endswith("values.yaml"):
            for found in documents(path.read_text()):
                yield path.name, found


def plain_limits() -> list[tuple[str, Object]]:
    """Envoy Gateway's sample of budgets, which takes the place of a policy of its kustomization."""
    text = (DEPLOY / "envoy-gateway" / "token-limits.yaml").read_text()
    return [("envoy-gateway/token-limits.yaml", found) for found in documents(text)]


def everything() -> list[tuple[str, Object]]:
    """All objects and where they come from."""
    return [
        *((name, found) for name, install in installs().items() for found in install.objects),
        *ai_gateway(),
        *plain_limits(),
    ]
