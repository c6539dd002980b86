from __future__ import annotations

import pytest

from epp.scheduling.objectives import LatencyObjectives, latency_objectives


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({}, LatencyObjectives()),
        ({"x-llm-d-slo-ttft-ms": "1500"}, LatencyObjectives(ttft_s=1.5)),
        ({"x-slo-tpot-ms": "40"}, LatencyObjectives(tpot_s=0.04)),
        ({"x-llm-d-slo-ttft-ms": "1", "x-slo-ttft-ms": "9"}, LatencyObjectives(ttft_s=0.001)),
    ],
)
def test_the_headers_are_read_the_newer_names_first(
    headers: dict[str, str], found: LatencyObjectives
) -> None:
    assert latency_objectives(headers) == found


@pytest.mark.parametrize("text", ["", "fast", "0", "-5", "nan", "inf", "1e999"])
def test_what_is_no_positive_number_is_no_objective(text: str) -> None:
    assert latency_objectives({"x-llm-d-slo-ttft-ms": text}) == LatencyObjectives()
