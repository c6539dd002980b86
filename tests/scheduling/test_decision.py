from __future__ import annotations

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Decision

A, B, C = Endpoint("a:1"), Endpoint("b:1"), Endpoint("c:1")


def decided(picked: Endpoint, totals: tuple[float, ...]) -> Decision:
    return Decision(0.0, "default", (picked,), (A, B, C)[: len(totals)], totals=totals)


def test_the_winner_is_the_first_that_was_picked() -> None:
    assert Decision(0.0, "default", (B, A), (A, B)).winner is B


def test_the_runner_up_is_the_best_of_the_others() -> None:
    assert decided(B, (1.0, 3.0, 2.5)).runner_up == (C, 0.5)


def test_the_margin_is_negative_if_chance_preferred_a_lower_total() -> None:
    assert decided(A, (1.0, 3.0)).runner_up == (B, -2.0)


def test_a_single_candidate_has_no_runner_up() -> None:
    assert decided(A, (1.0,)).runner_up is None


def test_each_candidate_has_a_total() -> None:
    assert decided(A, (1.0, 3.0)).total_of(B) == 3.0
