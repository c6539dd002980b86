"""Every object in deploy/ would be accepted, and a wrong one would not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.deploy import manifests, schemas
from tests.deploy.manifests import Object, everything, installs
from tests.deploy.verdict import MODE, OVERRIDE, problems

Change = Callable[[Any], object]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        pytest.param(source, found, id=f"{source}-{found['kind']}-{found['metadata']['name']}")
        for source, found in everything()
    ],
)
def test_it_is_accepted(source: str, found: Object) -> None:
    assert problems(found) == []
    assert source


def test_no_name_is_used_twice() -> None:
    for install in installs().values():
        names = [
            (found["kind"], found["metadata"].get("namespace", ""), found["metadata"]["name"])
            for found in install.objects
        ]
        assert len(names) == len(set(names)), install.name


def test_each_schema_is_used() -> None:
    used = {(found["apiVersion"], found["kind"]) for _, found in everything()}

    assert set(schemas.SPECS) <= used


def without(path: str) -> Change:
    *parents, last = path.split(".")

    def change(found: Any) -> None:
        del _walk(found, parents)[_key(last)]

    return change


def put(path: str, value: Any) -> Change:
    *parents, last = path.split(".")

    def change(found: Any) -> None:
        _walk(found, parents)[_key(last)] = value

    return change


def _walk(found: Any, parents: list[str]) -> Any:
    for part in parents:
        found = found[_key(part)]
    return found


def _key(part: str) -> str | int:
    return int(part) if part.isdecimal() else part


def twice(path: str) -> Change:
    def change(found: Any) -> None:
        items = _walk(found, path.split("."))
        items.append(copy.deepcopy(items[0]))

    return change


def annotate(name: str, value: str) -> Change:
    return lambda found: found["metadata"].setdefault("annotations", {}).update({name: value})


PICKER = "spec.template.spec.containers.0"
RULE = "spec.rules.0"
BACKEND_REFS = f"{RULE}.backendRefs"
PLANTED: list[tuple[str, str, Change]] = [
    ("kubernetes", "Deployment", put(f"{PICKER}.livenessProbe.grpc.port", "health")),
    ("kubernetes", "Deployment", put(f"{PICKER}.livenesProbe", {})),
    ("kubernetes", "Deployment", put("spec.template.spec.terminationGracePeriodSeconds", "5m")),
    ("kubernetes", "Deployment", put(f"{PICKER}.securityContext.readOnlyRootFileSystem", True)),
    ("kubernetes", "Deployment", without("spec.selector")),
    ("kubernetes", "Service", put("spec.ports.0.targetport", 1)),
    ("kubernetes", "Role", put("rules.0.verb", ["get"])),
    ("kubernetes", "NetworkPolicy", put("spec.ingress.0.ports.0.protocols", "TCP")),
    ("kubernetes", "InferencePool", put("spec.targetPorts", [{"number": n} for n in range(1, 10)])),
    ("kubernetes", "InferencePool", twice("spec.targetPorts")),
    ("kubernetes", "InferencePool", put("spec.targetPorts.0.number", 65536)),
    ("kubernetes", "InferencePool", put("spec.targetPortNumber", 8000)),
    ("kubernetes", "InferencePool", put("spec.endpointPickerRef.failureMode", "FailClosed")),
    ("kubernetes", "InferencePool", without("spec.endpointPickerRef.port")),
    ("kubernetes", "InferencePool", put("spec.selector", {"app": "vllm"})),
    ("kubernetes", "InferencePool", annotate(MODE, "Buffered")),
    ("kubernetes", "InferencePool", annotate(MODE, "streamed/duplex")),
    ("kubernetes", "InferencePool", annotate(OVERRIDE, "True")),
    ("ai-gateway", "AIGatewayRoute", twice(BACKEND_REFS)),
    ("ai-gateway", "AIGatewayRoute", without(f"{BACKEND_REFS}.0.group")),
    ("ai-gateway", "AIGatewayRoute", put(f"{BACKEND_REFS}.0.port", 8000)),
    ("ai-gateway", "AIGatewayRoute", put(f"{RULE}.name", "route-not-found")),
    ("ai-gateway", "AIGatewayRoute", put("spec.llmRequestCosts.0.type", "CEL")),
    ("ai-gateway", "AIGatewayRoute", put(f"{RULE}.timeouts.request", "5 minutes")),
    ("ai-gateway", "AIGatewayRoute", put("apiVersion", "aigateway.envoyproxy.io/v1")),
    ("ai-gateway", "HTTPRoute", twice(BACKEND_REFS)),
    ("ai-gateway", "HTTPRoute", put(f"{BACKEND_REFS}.0.kind", "InferencePools")),
    ("ai-gateway", "ClientTrafficPolicy", put("spec.connection.bufferLimit", "50 MB")),
    ("ai-gateway", "ClientTrafficPolicy", put("spec.bufferLimit", "50Mi")),
    ("ai-gateway", "BackendTrafficPolicy", put("spec.mergeType", "StrategicMerge")),
    ("ai-gateway", "EnvoyProxy", without("spec.bootstrap.jsonPatches")),
    ("envoy-gateway", "EnvoyExtensionPolicy", put("spec.extProc.0.failOpen", True)),
    ("envoy-gateway", "EnvoyExtensionPolicy", put("spec.extProc.0.messageTimeout", "10")),
]


def found_in(source: str, kind: str) -> Object:
    objects = (
        [found for _, found in manifests.ai_gateway()]
        if source == "ai-gateway"
        else installs()[source].objects
    )
    return next(found for found in objects if found["kind"] == kind)


@pytest.mark.parametrize(("source", "kind", "change"), PLANTED)
def test_a_planted_mistake_is_found(source: str, kind: str, change: Change) -> None:
    found = copy.deepcopy(found_in(source, kind))
    assert problems(found) == []

    change(found)

    assert problems(found)
