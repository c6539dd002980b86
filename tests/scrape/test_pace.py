from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.scrape.pace import Pace

PACE = Pace()
times = st.floats(0, 1e7)
phases = st.floats(0, 1, exclude_max=True)


@given(times, phases, st.booleans(), st.floats(-0.0004, 3))
def test_the_next_moment_is_the_replicas_own_and_the_first_that_comes(
    start: float, phase: float, in_use: bool, late_s: float
) -> None:
    interval_s = PACE.interval_s if in_use else PACE.idle_interval_s
    due = PACE.following(start, start, phase, in_use=in_use)
    now = due + late_s  # a timer may ring a little early
    following = PACE.following(now, due, phase, in_use=in_use)
    assert 0 < following - now <= interval_s * 1.02
    assert following - due >= interval_s * 0.999
    steps = (following - phase * interval_s) / interval_s
    assert steps == pytest.approx(round(steps), abs=1e-4)


@given(st.integers(0, 100), phases)
def test_no_moment_is_taken_twice_or_left_out_while_answers_are_quick(
    start: int, phase: float
) -> None:
    due = PACE.following(start, start, phase, in_use=True)
    first = due
    for _ in range(200):
        due = PACE.following(due - 0.0004, due, phase, in_use=True)
    assert due - first == pytest.approx(200 * PACE.interval_s)


@given(times, phases)
def test_a_newcomer_is_asked_within_one_short_interval(now: float, phase: float) -> None:
    assert 0 <= PACE.first(now, phase) - now <= PACE.interval_s * 1.0001


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_backoff_grows_to_a_bound(failures: int, jitter: float) -> None:
    wait_s = PACE.after_failure(0.0, failures, jitter)
    assert PACE.interval_s <= wait_s <= PACE.max_backoff_s
    assert PACE.after_failure(0.0, failures + 1, jitter) >= wait_s


def test_jitter_takes_away_up_to_half() -> None:
    assert PACE.after_failure(10.0, 99, 0.0) == 11.0
    assert PACE.after_failure(10.0, 99, 1.0) == 12.0


def test_a_replica_is_in_use_for_a_while_after_its_last_request() -> None:
    assert PACE.in_use(12.9, 11.0)
    assert not PACE.in_use(13.0, 11.0)
    assert not PACE.in_use(0.0, -math.inf)


@pytest.mark.parametrize(
    "settings",
    [
        {"interval_s": 0.0},
        {"interval_s": math.nan},
        {"interval_s": 2.0},
        {"idle_interval_s": 0.01},
        {"idle_interval_s": math.inf},
        {"max_backoff_s": 0.01},
        {"max_backoff_s": math.inf},
    ],
)
def test_a_pace_that_cannot_be_kept_is_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="interval"):
        Pace(**settings)
