from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.discovery.inference_pool import (
    InferencePool,
    LegacyInferencePool,
    Pool,
    meaning,
)
from tests.discovery.cluster import legacy_pool, pool

V1 = b"""{
  "apiVersion": "inference.networking.k8s.io/v1", "kind": "InferencePool",
  "metadata": {"name": "chat", "namespace": "prod", "annotations": {"a": "b"}, "generation": 2},
  "spec": {
    "selector": {"matchLabels": {"tier": "gpu", "app": "vllm"}},
    "targetPorts": [{"number": 8001}, {"number": 8000}],
    "appProtocol": "kubernetes.io/h2c",
    "endpointPickerRef": {"name": "epp", "port": {"number": 9010}, "failureMode": "FailOpen"}
  },
  "status": {"parents": []}
}"""

V1ALPHA2 = b"""{
  "apiVersion": "inference.networking.x-k8s.io/v1alpha2", "kind": "InferencePool",
  "metadata": {"name": "chat", "namespace": "prod", "annotations": {"a": "b"}},
  "spec": {
    "selector": {"tier": "gpu", "app": "vllm"},
    "targetPortNumber": 8001,
    "extensionRef": {"name": "epp", "portNumber": 9010, "failureMode": "FailOpen"}
  }
}"""


def said(found: InferencePool | LegacyInferencePool) -> list[str]:
    return [f"{c.where}: {c.text}" for c in meaning(found).complaints]


def test_a_v1_pool_means_what_it_says() -> None:
    assert meaning(msgspec.json.decode(V1, type=InferencePool)) == Pool(
        "prod",
        "chat",
        "inference.networking.k8s.io",
        {"tier": "gpu", "app": "vllm"},
        (8001, 8000),
        "kubernetes.io/h2c",
        "epp",
        9010,
        fail_open=True,
        annotations={"a": "b"},
    )


def test_a_v1alpha2_pool_means_the_same() -> None:
    old = meaning(msgspec.json.decode(V1ALPHA2, type=LegacyInferencePool))
    new = meaning(msgspec.json.decode(V1, type=InferencePool))
    assert old == msgspec.structs.replace(
        new, group="inference.networking.x-k8s.io", ports=(8001,), app_protocol="http"
    )


def test_a_picker_without_a_port_is_at_9002() -> None:
    assert meaning(pool(endpointPickerRef={"name": "epp"})).authority == "epp.prod.svc:9002"
    assert meaning(legacy_pool(extensionRef={"name": "epp"})).authority == "epp.prod.svc:9002"


def test_a_pool_need_not_name_a_picker() -> None:
    for found in (meaning(pool()), meaning(legacy_pool())):
        assert (found.authority, found.complaints) == ("", ())


def test_the_selector_has_one_spelling() -> None:
    assert meaning(msgspec.json.decode(V1, type=InferencePool)).label_selector == (
        "app=vllm,tier=gpu"
    )


def test_a_pool_that_is_being_deleted_says_so() -> None:
    found = meaning(pool(metadata={"deletionTimestamp": "2026-11-23T10:00:00Z"}))
    assert found.terminating
    assert not meaning(pool()).terminating


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        (
            {"selector": {}},
            "spec.selector.matchLabels: is empty; the pool has no pods until it names a label",
        ),
        (
            {"targetPorts": []},
            "spec.targetPorts: is empty; the pool has no endpoints until it names a port",
        ),
        (
            {"targetPorts": [{"number": 8000}, {"number": 70000}]},
            "spec.targetPorts: 70000 is not a port and is left out",
        ),
        (
            {"targetPorts": [{"number": 8000}, {"number": 8000}]},
            "spec.targetPorts: 8000 is there more than once and counts once",
        ),
        (
            {"targetPorts": [{"number": n} for n in range(1, 10)]},
            "spec.targetPorts: has more than 8 ports; the first 8 count",
        ),
        (
            {"endpointPickerRef": {"name": "epp", "kind": "Deployment", "group": "apps"}},
            "spec.endpointPickerRef: names a Deployment of apps; "
            "gateways reach a picker through a Service only",
        ),
    ],
)
def test_what_a_pool_cannot_mean_is_told(fields: dict[str, Any], complaint: str) -> None:
    assert said(pool(**fields)) == [complaint]


def test_a_v1alpha2_pool_is_told_in_its_own_words() -> None:
    found = legacy_pool(selector={}, targetPortNumber=0, extensionRef={"name": "e", "kind": "Pod"})
    assert said(found) == [
        "spec.selector: is empty; the pool has no pods until it names a label",
        "spec.targetPortNumber: 0 is not a port and is left out",
        "spec.extensionRef: names a Pod; gateways reach a picker through a Service only",
    ]


def test_a_complaint_names_its_pool() -> None:
    (complaint,) = meaning(pool(targetPorts=[])).complaints
    assert str(complaint).startswith("InferencePool prod/chat: spec.targetPorts: is empty")


@given(st.lists(st.integers(-2, 12) | st.integers(65530, 65540), max_size=12))
def test_ports_are_at_most_eight_different_ones_in_the_order_of_the_pool(
    numbers: list[int],
) -> None:
    found = meaning(pool(targetPorts=[{"number": number} for number in numbers]))
    good = [n for n in dict.fromkeys(numbers) if 1 <= n <= 65535]
    assert list(found.ports) == good[:8]
    assert bool(found.complaints) == (not numbers or list(found.ports) != numbers)
