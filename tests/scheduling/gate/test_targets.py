from __future__ import annotations

from math import inf

import pytest

from epp.scheduling.gate.targets import Targets

POOL = Targets(2.0, 0.05)


def test_a_request_that_asks_for_nothing_has_the_targets_of_the_pool() -> None:
    assert POOL.asked_by({}) is POOL


@pytest.mark.parametrize("name", ["x-llm-d-slo-ttft-ms", "x-slo-ttft-ms"])
def test_a_request_can_name_its_own_time_to_the_first_token(name: str) -> None:
    assert POOL.asked_by({name: "300"}) == Targets(0.3, 0.05)


def test_a_request_can_name_its_own_time_per_token() -> None:
    assert POOL.asked_by({"x-llm-d-slo-tpot-ms": "80.5"}) == Targets(2.0, 0.0805)


def test_of_two_headers_for_the_same_the_newer_name_counts() -> None:
    asked = {"x-slo-ttft-ms": "1", "x-llm-d-slo-ttft-ms": "500"}
    assert POOL.asked_by(asked).ttft_s == 0.5


@pytest.mark.parametrize("value", ["", "soon", "0", "-5", "nan", "inf", "1e999"])
def test_a_header_that_is_no_time_counts_as_none(value: str) -> None:
    assert POOL.asked_by({"x-llm-d-slo-ttft-ms": value}) == POOL


def test_a_long_prompt_may_have_more_time() -> None:
    assert Targets(2.0, 0.05, 0.0001).for_prompt(30_000) == Targets(5.0, 0.05)


def test_a_request_s_own_target_is_not_stretched() -> None:
    stretched = Targets(2.0, 0.05, 0.0001)
    asked = stretched.asked_by({"x-llm-d-slo-ttft-ms": "300"})
    assert asked.for_prompt(30_000).ttft_s == 0.3


def test_no_target_stays_none() -> None:
    assert Targets().for_prompt(1e6) == Targets(inf, inf)
