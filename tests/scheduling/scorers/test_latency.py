from __future__ import annotations

from typing import Any

import pytest

from epp.scheduling.ledger.standing import Standing
from epp.scheduling.query import Query
from epp.scheduling.scorers.latency import LatencyScorer
from tests.scheduling.books import facts
from tests.scheduling.examples import NOW, endpoint, query

A, B, C = endpoint(1), endpoint(2), endpoint(3)
POOL = [A, B, C]


def asked(*queued_s: float, requests: int = 1, held: float = 0.0, **slo_ms: int) -> Query:
    """Endpoints with these queues, asked for a time to the first token, or of a token."""
    standings = {
        e: Standing(at=NOW, queued_s=s, requests=requests, held=held)
        for e, s in zip(POOL, queued_s, strict=False)
    }
    headers = {f"x-llm-d-slo-{name}-ms": str(value) for name, value in slo_ms.items()}
    return query(facts=facts(standings), headers=headers)


def test_without_objectives_the_fastest_is_best() -> None:
    scores = LatencyScorer(tpot_weight=0.0).score(asked(0.0, 1.0, 2.0), POOL)
    assert scores == pytest.approx([1.0, 0.5, 0.01])


def test_least_takes_the_one_that_is_just_fast_enough() -> None:
    query = asked(0.0, 1.0, 2.0, ttft=1500)
    assert LatencyScorer(tpot_weight=0.0).score(query, POOL) == pytest.approx([0.01, 1.0, 0.0])


def test_most_takes_the_fastest() -> None:
    scorer = LatencyScorer(headroom_selection_strategy="most", tpot_weight=0.0)
    assert scorer.score(asked(0.0, 1.0, 2.0, ttft=1500), POOL) == pytest.approx([1.0, 0.01, 0.0])


def test_if_none_is_fast_enough_the_least_late_is_best() -> None:
    query = asked(2.0, 3.0, 4.0, ttft=1000)
    assert LatencyScorer(tpot_weight=0.0).score(query, POOL) == pytest.approx([1.0, 0.5, 0.01])


def test_if_none_is_fast_enough_idle_ones_go_first() -> None:
    standings = {
        A: Standing(at=NOW, queued_s=2.0, requests=1),
        B: Standing(at=NOW, queued_s=9.0, requests=0),
    }
    headers = {"x-llm-d-slo-ttft-ms": "1000"}
    scores = LatencyScorer().score(query(facts=facts(standings), headers=headers), [A, B])
    assert scores == [0.0, 1.0]


def test_to_miss_the_time_of_a_token_is_better_than_to_miss_the_first_one() -> None:
    standings = {
        A: Standing(at=NOW, queued_s=0.0, requests=9, held=1e6),  # 83 ms a token
        B: Standing(at=NOW, queued_s=5.0, requests=9, held=0.0),
    }
    headers = {"x-llm-d-slo-ttft-ms": "1000", "x-llm-d-slo-tpot-ms": "50"}
    scores = LatencyScorer().score(query(facts=facts(standings), headers=headers), [A, B])
    assert scores == [1.0, 0.0]


@pytest.mark.parametrize("weights", [{}, {"ttft_weight": 0.0, "tpot_weight": 0.0}])
def test_equals_are_equal(weights: dict[str, Any]) -> None:
    scores = LatencyScorer(**weights).score(asked(1.0, 1.0, 1.0, ttft=5000), POOL)
    assert len(set(scores)) == 1
