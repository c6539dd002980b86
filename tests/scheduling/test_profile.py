from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import ClassVar

import pytest

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Column, Decision, Exhausted, Refusal, Scores, Verdict
from epp.scheduling.errors import PluginError
from epp.scheduling.pickers.max_score import MaxScorePicker
from epp.scheduling.plugin import Filter, Picker, Scorer
from epp.scheduling.profile import Named, Profile
from epp.scheduling.query import Query
from tests.scheduling.examples import Unexplained, endpoint, query

A, B, C = endpoint(1), endpoint(2), endpoint(3)


class Fixed:
    """A scorer with an opinion of its own."""

    def __init__(self, *scores: float, needs: tuple[str, ...] = ()) -> None:
        self._scores = list(scores)
        self._needs = needs

    def needs(self) -> tuple[str, ...]:
        return self._needs

    def score(self, query: Query, endpoints: Sequence[Endpoint]) -> list[float]:
        return self._scores


class Without:
    """A filter that drops some."""

    exhausted: ClassVar[Exhausted] = Exhausted.SATURATED

    def __init__(self, *dropped: Endpoint) -> None:
        self._dropped = dropped

    def needs(self) -> tuple[str, ...]:
        return ("of-filter",)

    def keep(self, query: Query, endpoints: Sequence[Endpoint]) -> list[Endpoint]:
        return [e for e in endpoints if e not in self._dropped]


class Nobody:
    """A picker that breaks its contract."""

    def pick(
        self, endpoints: Sequence[Endpoint], totals: Sequence[float], rng: Random
    ) -> list[Endpoint]:
        return []


def profile(
    filters: Sequence[Filter] = (),
    scorers: Sequence[tuple[Scorer, float]] = (),
    picker: Picker | None = None,
) -> Profile:
    return Profile(
        "default",
        tuple(Named(f"filter-{i}", f) for i, f in enumerate(filters)),
        tuple(Named(f"scorer-{i}", s, w) for i, (s, w) in enumerate(scorers)),
        Named("picker", picker or MaxScorePicker()),
    )


def run(profile: Profile, *endpoints: Endpoint) -> Decision:
    decision = profile.run(query(), endpoints, Random(1))
    assert isinstance(decision, Decision)
    return decision


def test_the_decision_tells_all_that_led_to_it() -> None:
    made = run(profile([Without(B)], [(Fixed(0.5, 0.25), 2.0), (Fixed(0.0, 1.0), 3.0)]), A, B, C)
    assert (made.at, made.profile, made.picker) == (query().now, "default", "picker")
    assert made.candidates == (A, C)
    assert made.verdicts == (Verdict("filter-0", (B.address,)),)
    assert made.columns == (
        Column("scorer-0", 2.0, (0.5, 0.25)),
        Column("scorer-1", 3.0, (0.0, 1.0)),
    )
    assert made.totals == (1.0, 3.5)
    assert made.picked == (C,)


def test_filters_are_asked_in_order_and_only_about_what_is_left() -> None:
    made = run(profile([Without(A), Without(A, B)]), A, B, C)
    assert made.verdicts == (
        Verdict("filter-0", (A.address,)),
        Verdict("filter-1", (B.address,)),
    )
    assert made.picked == (C,)


def test_a_filter_that_drops_none_says_so() -> None:
    assert run(profile([Without()]), A).verdicts == (Verdict("filter-0", ()),)


def test_without_scorers_all_are_equal() -> None:
    assert run(profile(), A, B).totals == (0.0, 0.0)


def test_a_refusal_has_the_reason_and_the_verdicts_of_the_filter_that_dropped_the_last() -> None:
    refusal = profile([Without(B), Without(A), Without()]).run(query(), [A, B], Random(1))
    assert refusal == Refusal(
        Exhausted.SATURATED,
        (Verdict("filter-0", (B.address,)), Verdict("filter-1", (A.address,))),
    )


def test_without_endpoints_there_is_nothing_to_choose() -> None:
    assert profile().run(query(), [], Random(1)) == Refusal(Exhausted.NO_ENDPOINTS)


@pytest.mark.parametrize(
    ("rogue", "clamped"),
    [(-0.1, 0.0), (1.1, 1.0), (math.inf, 1.0), (-math.inf, 0.0), (math.nan, 0.0)],
)
def test_a_score_out_of_range_is_clamped(rogue: float, clamped: float) -> None:
    made = run(profile([], [(Fixed(rogue, 0.5), 1.0)]), A, B)
    assert made.columns[0].raw == (clamped, 0.5)
    assert made.totals == (clamped, 0.5)


def test_no_number_is_0_even_of_a_scorer_that_stays_in_range() -> None:
    class Bounded(Fixed):
        def score(self, query: Query, endpoints: Sequence[Endpoint]) -> Scores:
            return Scores([math.nan, 0.5], Unexplained(), bounded=True)

    assert run(profile([], [(Bounded(), 1.0)]), A, B).totals == (0.0, 0.5)


@pytest.mark.parametrize("scores", [(), (1.0,), (1.0, 1.0, 1.0)])
def test_a_scorer_that_misses_an_endpoint_is_named(scores: tuple[float, ...]) -> None:
    with pytest.raises(PluginError, match=f"scorer-0 gave {len(scores)} scores for 2 endpoints"):
        run(profile([], [(Fixed(*scores), 1.0)]), A, B)


def test_a_picker_that_picks_nobody_is_named() -> None:
    with pytest.raises(PluginError, match="picker picked none of 1 endpoints"):
        run(profile(picker=Nobody()), A)


def test_a_profile_needs_what_its_filters_and_scorers_need() -> None:
    made = profile([Without()], [(Fixed(needs=("x", "y")), 1.0), (Fixed(needs=("x",)), 1.0)])
    assert made.needs() == {"of-filter", "x", "y"}
