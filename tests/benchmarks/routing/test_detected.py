"""llm-d's flow control against what its formulas say."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.routing.pod import Reading
from benchmarks.routing.policies.detected import Detected
from benchmarks.routing.policies.detectors import Concurrency, Utilization
from benchmarks.routing.policies.policy import End, Placed
from benchmarks.routing.policies.simple import LeastRequest
from tests.benchmarks.routing.requests import request


@pytest.mark.parametrize(
    ("readings", "saturation"),
    [
        ({0: Reading(1.0, 5, 9, 0.0), 1: Reading(1.0, 0, 9, 0.4)}, 0.75),
        ({0: Reading(1.0, 0, 0, 0.0), 1: None}, 0.5),
        ({0: Reading(0.7, 0, 0, 0.0)}, 1.0),
        ({}, 1.0),
    ],
)
def test_utilization_is_the_mean_of_the_fuller_of_queue_and_cache(
    readings: dict[int, Reading | None], saturation: float
) -> None:
    assert Utilization().saturation(readings, [], 1.0) == pytest.approx(saturation)


def test_concurrency_is_the_share_of_the_requests_that_may_be_under_way() -> None:
    assert Concurrency().saturation({0: None, 1: None}, [0] * 50, 1.0) == 0.25


def held(ttl_s: float = 60.0) -> Detected:
    policy = Detected(LeastRequest(random.Random(1)), Concurrency(requests=1), ttl_s)
    policy.join(0)
    return policy


def test_one_goes_when_another_ends() -> None:
    policy = held()
    first, second = request(1, 10), request(2, 10)
    assert policy.pick(first, 0.0) is None
    assert policy.take_placed() == [Placed(first, 0)]
    policy.pick(second, 0.1)
    assert policy.take_placed() == []
    policy.end(first, End(), 1.0)
    assert policy.take_placed() == [Placed(second, 0)]


def test_who_has_waited_long_enough_is_refused() -> None:
    policy = held(ttl_s=1.7)
    first, second = request(1, 10), request(2, 10)
    policy.pick(first, 0.0)
    policy.pick(second, 0.1)
    policy.take_placed()
    assert 0.1 < policy.next_at(0.1) < 0.2
    policy.advance(1.79)
    assert policy.take_placed() == []
    policy.advance(1.81)
    assert policy.take_placed() == [Placed(second, None)]
    assert policy.next_at(1.81) == float("inf")


@given(st.floats(0.0, 1e4), st.floats(0.01, 100.0))
def test_it_never_asks_for_a_moment_at_which_it_does_nothing(arrival: float, ttl_s: float) -> None:
    policy = held(ttl_s)
    policy.pick(request(1, 10), 0.0)
    policy.pick(request(2, 10), arrival)
    policy.take_placed()
    last = arrival + ttl_s
    policy.advance(last)
    assert policy.next_at(last) > last
