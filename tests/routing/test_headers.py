from __future__ import annotations

from epp.routing.headers import FAIRNESS_ID, control, first


def test_the_newer_name_wins_where_both_are_sent() -> None:
    assert first({FAIRNESS_ID[0]: "new", FAIRNESS_ID[1]: "old"}, FAIRNESS_ID) == "new"
    assert first({FAIRNESS_ID[1]: "old"}, FAIRNESS_ID) == "old"
    assert first({}, FAIRNESS_ID) == ""


def test_only_control_headers_that_are_there_are_taken_out() -> None:
    headers = {"x-slo-ttft-ms": "1", "x-llm-d-inference-objective": "o", "accept": "*/*"}
    assert sorted(control(headers)) == ["x-llm-d-inference-objective", "x-slo-ttft-ms"]
    assert control({"accept": "*/*"}) == ()
