from __future__ import annotations

from typing import Any

from epp.pool.endpoint import Endpoint
from epp.scheduling.producers.cold_picks import COLD_PICKS, ColdPicks
from epp.scheduling.query import Query
from epp.scheduling.scorers.no_hit_lru import NoHitLruScorer
from tests.scheduling.books import facts
from tests.scheduling.examples import endpoint, query

A, B, C, D = (endpoint(number) for number in range(4))


def asked(*order: Endpoint, **known: Any) -> Query:
    cold = ColdPicks(dict.fromkeys(e.address for e in order))
    return query(facts={**facts(**known), COLD_PICKS: cold})


def test_never_comes_first_and_then_the_one_that_waited_longest() -> None:
    assert NoHitLruScorer().score(asked(C, A), [A, B, C]) == [0.0, 1.0, 0.5]


def test_those_that_never_had_one_are_equals() -> None:
    assert NoHitLruScorer().score(asked(A), [A, B, C]) == [0.0, 1.0, 1.0]


def test_a_prompt_that_is_cached_somewhere_is_for_others_to_rate() -> None:
    assert NoHitLruScorer().score(asked(A, tenths={D: 3}), [A, B]) == [0.5, 0.5]


def test_what_is_older_than_the_size_counts_as_never() -> None:
    assert NoHitLruScorer(lru_size=1).score(asked(A, B), [A, B]) == [1.0, 0.0]
