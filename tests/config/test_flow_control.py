from __future__ import annotations

from math import inf

import pytest

from epp.config.build import build
from epp.config.flow_control import FlowControl
from epp.config.load import load
from epp.routing.admission.limits import RoomLimits
from epp.scheduling.gate.targets import Targets
from tests.config.refusal import HEAD, refused

PLUGINS = "plugins: [{type: queue-scorer}]\n"


def read(text: str) -> FlowControl | None:
    return load(HEAD + text + PLUGINS, "epp.yaml").flow_control


def test_without_the_block_nobody_waits() -> None:
    assert read("") is None
    assert build(load(HEAD + PLUGINS, "epp.yaml"), 1).gate is None


@pytest.mark.parametrize(
    "text",
    ["flowControl: {}\n", "featureGates: [flowControl]\n", "featureGates: [flowControl=true]\n"],
)
def test_one_line_switches_it_on(text: str) -> None:
    assert read(text) == FlowControl()
    assert build(load(HEAD + text + PLUGINS, "epp.yaml"), 1).gate is not None


def test_a_gate_that_is_off_switches_nothing_on() -> None:
    assert read("featureGates: [flowControl=false]\n") is None


def test_targets_are_of_the_pool_and_of_models() -> None:
    block = read(
        "flowControl:\n"
        "  targets: {ttft: 2s, tpot: 50ms, ttftPer1kTokens: 100ms}\n"
        "  models:\n"
        "  - {model: small, targets: {ttft: 500ms}}\n"
    )
    assert block is not None
    settings = block.gate()
    assert settings.targets == Targets(2.0, 0.05, 0.0001)
    assert settings.models == {"small": Targets(0.5, inf)}


def test_bounds_and_order_are_for_those_who_wait() -> None:
    block = read(
        "flowControl:\n"
        "  maxRequests: 100\n"
        "  maxBytes: 1000000\n"
        "  defaultRequestTTL: 1m\n"
        "  ordering: shortest-uncached-first\n"
        "  whenLate: shed\n"
        "  priorityBands: [{priority: -1, maxRequests: 10}]\n"
    )
    assert block is not None
    settings = block.admission()
    assert (settings.ttl_s, settings.limits) == (60.0, RoomLimits(100, 1_000_000))
    assert settings.shed_late
    assert settings.shortest_first > 0
    assert settings.bands[-1].requests == 10


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("flowControl:\n  saturationDetector: {}\n", 4, "saturationDetector has no counterpart"),
        ("flowControl:\n  enableEviction: true\n", 4, "enableEviction has no counterpart"),
        ("flowControl:\n  noEndpointRequestTTL: 5s\n", 4, "noEndpointRequestTTL has no"),
        ("flowControl:\n  targets: {ttft: soon}\n", 4, "flowControl.targets.ttft"),
        (
            "flowControl:\n  target: {ttft: 2s}\n",
            4,
            'unknown field "target" in flowControl; did you mean "targets"?',
        ),
        (
            "flowControl:\n  priorityBands:\n  - priority: 0\n    orderingPolicyRef: x\n",
            6,
            "orderingPolicyRef has no counterpart; use flowControl.ordering",
        ),
        (
            "flowControl:\n  priorityBands:\n  - priority: 0\n    fairnessPolicyRef: x\n",
            6,
            "fairnessPolicyRef has no counterpart",
        ),
    ],
)
def test_what_has_no_counterpart_is_said_with_its_line(text: str, line: int, said: str) -> None:
    ((where, told),) = refused(text + PLUGINS)
    assert where == line
    assert told.startswith(said), told


def test_llm_d_s_policies_of_waiting_are_built_in() -> None:
    ((_, told),) = refused("plugins: [{type: queue-scorer}, {type: fcfs-ordering-policy}]\n")
    assert "flowControl.ordering" in told
