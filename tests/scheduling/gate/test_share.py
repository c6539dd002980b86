from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from epp.scheduling.gate.share import Share


def test_a_request_that_was_too_slow_makes_it_smaller_and_another_larger() -> None:
    share = Share(0.25)
    share.learn(0.06, 0.05, 100)
    smaller = share.value
    assert smaller < 0.25
    share.learn(0.04, 0.05, 100)
    assert smaller < share.value < 0.25


def test_it_rests_where_one_in_fifty_is_too_slow() -> None:
    share = Share(0.25)
    for number in range(500):
        share.learn(0.06 if number % 50 == 0 else 0.04, 0.05, 100)
    assert abs(share.value - 0.25) < 0.01


def test_an_answer_of_a_few_tokens_says_nothing() -> None:
    share = Share(0.25)
    share.learn(1.0, 0.05, 4)
    assert share.value == 0.25


@given(st.lists(st.floats(0, 1), max_size=3000))
def test_nothing_that_is_measured_closes_or_opens_it_for_good(times: list[float]) -> None:
    share = Share(0.25)
    for tpot_s in times * 5:
        share.learn(tpot_s, 0.05, 100)
    assert 0.07 <= share.value <= 1.2
