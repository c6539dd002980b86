from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.kube.outcome import Outcome
from epp.kube.pace import ReflectorPace
from epp.kube.step import Do, State, Step, next_step

PACE = ReflectorPace(jitter=0.0)
STEADY = ReflectorPace(jitter=0.0, relist_s=1e9)


def play(*outcomes: Outcome, every_s: float = 5.0, pace: ReflectorPace = STEADY) -> list[str]:
    """Return the steps after outcomes that each come so long after the wait before."""
    state, now, told = State(), 0.0, []
    rng = random.Random(1)
    for outcome in outcomes:
        state, step = next_step(state, outcome, now, pace, rng)
        told.append(f"{step.do.value} after {step.after_s:g}")
        now += step.after_s + every_s
    return told


def test_a_list_leads_to_a_watch_and_a_watch_to_the_next() -> None:
    assert play(Outcome.LISTED, Outcome.CLOSED, Outcome.CLOSED) == ["watch after 0"] * 3


def test_an_unreachable_server_is_asked_the_same_less_and_less_often() -> None:
    assert play(Outcome.LISTED, *[Outcome.UNREACHABLE] * 7) == [
        "watch after 0",
        "watch after 0.8",
        "watch after 1.6",
        "watch after 3.2",
        "watch after 6.4",
        "watch after 12.8",
        "watch after 25.6",
        "watch after 30",
    ]


def test_before_the_first_list_the_same_is_a_list() -> None:
    assert play(Outcome.UNREACHABLE, Outcome.BUSY, Outcome.STALLED) == [
        "list after 0.8",
        "list after 1.6",
        "list after 3.2",
    ]


def test_failures_are_forgotten_after_two_minutes_without_one() -> None:
    assert play(Outcome.LISTED, *[Outcome.BUSY] * 3, every_s=110.0)[3] == "watch after 3.2"
    assert play(Outcome.LISTED, *[Outcome.BUSY] * 3, every_s=121.0)[3] == "watch after 0.8"


def test_an_old_version_is_answered_by_a_list_at_once_and_with_patience_if_again() -> None:
    assert play(Outcome.LISTED, Outcome.GONE, Outcome.LISTED, Outcome.GONE) == [
        "watch after 0",
        "list after 0",
        "watch after 0",
        "list after 1.6",
    ]


def test_a_version_that_is_gone_while_paging_begins_the_list_anew() -> None:
    assert play(Outcome.GONE) == ["list after 0"]


@pytest.mark.parametrize("outcome", [Outcome.REPORTED, Outcome.REFUSED])
def test_what_a_server_objects_to_is_listed_anew_after_a_wait(outcome: Outcome) -> None:
    assert play(Outcome.LISTED, outcome) == ["watch after 0", "list after 0.8"]


def test_an_unreadable_line_is_followed_by_a_list() -> None:
    assert play(Outcome.LISTED, Outcome.UNREADABLE) == ["watch after 0", "list after 0"]


def test_a_stalled_watch_goes_on_where_it_was() -> None:
    assert play(Outcome.LISTED, Outcome.STALLED) == ["watch after 0"] * 2


def test_three_watches_that_end_at_once_without_a_word_mean_a_list() -> None:
    empty = Outcome.CLOSED_EMPTY
    assert play(Outcome.LISTED, empty, empty, empty, Outcome.LISTED, empty) == [
        "watch after 0",
        "watch after 0.8",
        "watch after 1.6",
        "list after 0",
        "watch after 0",
        "watch after 3.2",
    ]


@given(outage_s=st.floats(0.1, 600.0), rng=st.randoms(use_true_random=False))
def test_a_server_that_nobody_reaches_is_asked_within_five_seconds_of_its_return(
    outage_s: float, rng: random.Random
) -> None:
    state, now = State(doing=Do.WATCH), 0.0
    while now < outage_s:
        state, step = next_step(state, Outcome.ABSENT, now, ReflectorPace(), rng)
        assert step.after_s >= 0.8
        now += step.after_s
    assert now <= outage_s + 5.0


def test_a_watch_that_does_not_end_is_followed_by_another_at_once() -> None:
    assert play(Outcome.LISTED, *[Outcome.OVERDUE] * 3) == ["watch after 0"] * 4


@pytest.mark.parametrize("outcome", [Outcome.UNREACHABLE, Outcome.BUSY, Outcome.CLOSED_EMPTY])
@given(outage_s=st.floats(0.1, 5.0), rng=st.randoms(use_true_random=False))
def test_after_an_outage_of_up_to_five_seconds_it_asks_within_five(
    outcome: Outcome, outage_s: float, rng: random.Random
) -> None:
    state, now, requests = State(doing=Do.WATCH), 0.0, 0
    while now < outage_s:
        state, step = next_step(state, outcome, now, ReflectorPace(), rng)
        now += step.after_s
        requests += 1
        if step.do is Do.LIST:  # which such a server answers
            state, _ = next_step(state, Outcome.LISTED, now, ReflectorPace(), rng)
            requests += 1
    assert now <= outage_s + 5.0
    assert requests <= 10


def test_a_watch_that_lasts_ends_the_count_of_empty_ones() -> None:
    empty = Outcome.CLOSED_EMPTY
    played = play(Outcome.LISTED, empty, empty, Outcome.CLOSED, empty, empty)
    assert {step.split()[0] for step in played} == {"watch"}


def test_an_outage_between_does_not_end_the_count() -> None:
    empty = Outcome.CLOSED_EMPTY
    played = play(Outcome.LISTED, empty, Outcome.UNREACHABLE, empty, Outcome.BUSY, empty)
    assert played[-1] == "list after 0"


def test_watches_that_end_early_after_events_are_not_repeated_at_once() -> None:
    early = Outcome.CLOSED_EARLY
    assert play(Outcome.LISTED, early, early, early)[1:] == [
        "watch after 0.8",
        "watch after 1.6",
        "watch after 3.2",
    ]


def listed(rng: random.Random, pace: ReflectorPace = PACE) -> tuple[State, Step]:
    return next_step(State(), Outcome.LISTED, 0.0, pace, rng)


def test_every_ten_minutes_or_so_all_is_listed_anew() -> None:
    rng = random.Random(4)
    state, _ = listed(rng)
    assert 540 <= state.relist_at <= 660
    _, step = next_step(state, Outcome.CLOSED, state.relist_at - 1, PACE, rng)
    assert (step.do, step.due) == (Do.WATCH, False)
    _, step = next_step(state, Outcome.CLOSED, state.relist_at, PACE, rng)
    assert (step.do, step.due) == (Do.LIST, True)


def test_no_watch_lasts_beyond_the_next_list() -> None:
    rng = random.Random(4)
    state, _ = listed(rng)
    _, step = next_step(state, Outcome.CLOSED, state.relist_at - 7.5, PACE, rng)
    assert step.watch_s == 8
    _, step = next_step(state, Outcome.CLOSED, state.relist_at - 0.1, PACE, rng)
    assert step.watch_s == 1


def test_watches_last_five_to_ten_minutes_drawn_anew() -> None:
    rng = random.Random(4)
    drawn = {listed(rng, STEADY)[1].watch_s for _ in range(200)}
    assert 300 <= min(drawn) < 320
    assert 580 < max(drawn) <= 600


def test_the_wait_that_a_server_asks_for_is_kept_within_reason() -> None:
    def waits(retry_after_s: float) -> float:
        rng = random.Random(1)
        return next_step(State(), Outcome.BUSY, 0.0, PACE, rng, retry_after_s)[1].after_s

    assert waits(0.0) == 0.8
    assert waits(7.0) == 7.0
    assert waits(1e9) == PACE.max_retry_after_s


@given(
    st.lists(st.tuples(st.sampled_from(Outcome), st.floats(0, 1000)), max_size=60),
    st.randoms(use_true_random=False),
)
def test_whatever_happens_there_is_no_storm(
    happened: list[tuple[Outcome, float]], rng: random.Random
) -> None:
    """Of any run of outcomes at least every third is waited for, but those that took their time."""
    state, now, at_once = State(), 0.0, 0
    for outcome, took_s in happened:
        if outcome in {Outcome.CLOSED, Outcome.STALLED}:
            now += 2.0 + took_s  # it is what makes them these
            at_once = 0
        state, step = next_step(state, outcome, now, ReflectorPace(), rng)
        assert step.after_s <= 45.0
        assert step.watch_s >= 1.0
        listed_twice = outcome is Outcome.LISTED and at_once
        at_once = at_once + 1 if step.after_s == 0 and not listed_twice else 0
        assert at_once <= 3
        now += step.after_s
