from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry

from epp.app.flow_metrics import FlowMetrics
from tests.server.envoy import request_body, request_headers
from tests.server.picker import DEFAULT, HEADER, Picker, pod

GATED = (
    HEADER
    + """
plugins: [{type: marginal-cost-scorer}]
flowControl:
  targets: {ttft: 2s, tpot: 50ms}
"""
)
LONG = {"model": "m", "stream": True, "prompt": "word " * 16_000}


class Page:
    """The metrics of a pool of which requests may wait."""

    def __init__(self, *addresses: str, config: str = GATED) -> None:
        self.picker = Picker(*map(pod, addresses), config=config)
        pool: Any = self.picker
        self.registry = CollectorRegistry()
        self.registry.register(FlowMetrics(lambda: {"chat": pool}, self.picker.clock))

    def ask(self) -> None:
        """A long prompt comes."""
        stream = self.picker.stream()
        stream.later = lambda _: None
        stream.receive(request_headers())
        stream.receive(request_body(LONG))

    def value(self, name: str, **labels: str) -> float | None:
        labels["inference_pool"] = "chat"
        return self.registry.get_sample_value(f"llm_d_epp_flow_control_{name}", labels)


def test_those_who_wait_and_their_bytes_are_shown() -> None:
    page = Page("10.0.0.1:8000")
    assert page.value("queue_size", priority="0") == 0
    for _ in range(3):
        page.ask()
    assert page.value("queue_size", priority="0") == 2
    assert page.value("queue_bytes", priority="0") == 2 * len(LONG["prompt"])  # type: ignore[arg-type]


def test_the_share_of_closed_endpoints_is_the_saturation() -> None:
    page = Page("10.0.0.1:8000", "10.0.0.2:8000")
    assert page.value("pool_saturation") == 0.0
    page.ask()
    assert page.value("pool_saturation") == 0.5
    assert page.value("endpoints", state="queue") == 1
    assert page.value("endpoints", state="open") == 1


def test_a_pool_without_endpoints_is_saturated() -> None:
    assert Page().value("pool_saturation") == 1.0


def test_the_share_of_the_target_that_is_planned_with_is_shown() -> None:
    assert Page("10.0.0.1:8000").value("step_share") == 0.25


def test_the_steps_that_are_expected_and_what_is_measured_are_of_each_endpoint() -> None:
    page = Page("10.0.0.1:8000")
    labels = {
        "endpoint": "10.0.0.1:8000",
        "endpoint_name": "10.0.0.1",
        "namespace": "",
        "port": "8000",
    }
    shown = page.registry.get_sample_value

    assert shown("llm_d_epp_flow_control_step_seconds", labels)
    assert shown("llm_d_epp_flow_control_step_pace", labels) is None
    assert page.picker.admission is not None
    page.picker.admission.gate.paces.learn("10.0.0.1:8000", 2.0, 1.0)
    assert shown("llm_d_epp_flow_control_step_pace", labels) == 2.0


def test_a_pool_of_which_nobody_waits_has_none_of_it() -> None:
    page = Page("10.0.0.1:8000", config=DEFAULT)
    assert list(page.registry.collect()) == []
