from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from msgspec import structs

from epp.pool.endpoint import Endpoint
from epp.scheduling.cost.marginal import PARTS
from epp.scheduling.decision import Decision
from epp.scheduling.ledger.standing import Standing
from epp.scheduling.ledger.workload import Workload
from epp.scheduling.pickers.max_score import MaxScorePicker
from epp.scheduling.prefix.cut import Cut
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.producers.approx_prefix_cache import APPROX_PREFIX
from epp.scheduling.producers.work_ledger import LEDGER
from epp.scheduling.profile import Named, Profile
from epp.scheduling.query import Query
from epp.scheduling.scorers.marginal_cost import MarginalCostScorer
from tests.scheduling.books import board
from tests.scheduling.examples import NOW, endpoint, query, stale

A, B, C = endpoint(1), endpoint(2), endpoint(3)
POOL = [A, B, C]
NOTHING = PrefixMatches()


def asked(standings: Sequence[Standing], matches: PrefixMatches = NOTHING, **known: Any) -> Query:
    named = {e.address: s for e, s in zip(POOL, standings, strict=False)}
    load = Workload(board(named), **{"prompt": 4000.0, "output": 100.0, **known})
    return query("a prompt", facts={LEDGER: load, APPROX_PREFIX: matches})


def queued(*seconds: float) -> list[Standing]:
    return [Standing(at=NOW, queued_s=s, requests=n) for n, s in enumerate(seconds)]


def test_the_cheapest_is_1_the_dearest_0_and_the_rest_in_a_straight_line() -> None:
    query = asked([Standing(at=NOW, queued_s=s) for s in (0.0, 1.0, 4.0)])
    assert MarginalCostScorer().score(query, POOL) == pytest.approx([1.0, 0.75, 0.0])


def test_equals_are_all_best() -> None:
    assert list(MarginalCostScorer().score(asked([]), POOL)) == [1.0, 1.0, 1.0]


def test_a_weight_of_nothing_leaves_the_time_to_the_first_token() -> None:
    busy = [Standing(at=NOW, requests=200), Standing(at=NOW)]
    alone = MarginalCostScorer(pressure_weight=0.0, stall_weight=0.0, output_weight=0.0)
    assert list(alone.score(asked(busy), [A, B])) == [1.0, 1.0]
    assert list(MarginalCostScorer().score(asked(busy), [A, B])) == [0.0, 1.0]


def decided(query: Query, pool: Sequence[Endpoint] = POOL) -> Decision:
    profile = Profile(
        "default",
        (),
        (Named("cost", MarginalCostScorer()),),
        Named("max-score-picker", MaxScorePicker()),
    )
    found = profile.run(query, pool, Random(1))
    assert isinstance(found, Decision)
    return found


def test_a_decision_shows_the_terms_of_each_candidate_and_what_it_went_by() -> None:
    decision = decided(asked(queued(2.0, 0.0, 1.0)))
    (column,) = decision.columns
    assert column.details is not None
    assert column.details.basis == "approximate"
    assert [column.details.terms(i)["queue_s"] for i in range(3)] == [2.0, 0.0, 1.0]
    assert decision.winner is B


def test_without_fresh_metrics_the_ledger_decides_as_before() -> None:
    decision = decided(asked(queued(2.0, 0.0, 1.0)), [stale(1), stale(2), stale(3)])
    (column,) = decision.columns
    assert column.details is not None
    assert (column.details.basis, decision.winner.address) == ("ledger", B.address)


def test_coefficients_that_are_far_off_give_way_to_tokens_times_requests() -> None:
    standings = [Standing(at=NOW, requests=3), Standing(at=NOW, requests=0)]
    matches = PrefixMatches(range(4), Cut(1000), {A.address: 3}, {}, 4000.0)
    query = asked(standings, matches, plausible=False)
    # 1,000 tokens times 4, and 4,000 times 1
    assert MarginalCostScorer().score(query, [A, B]) == pytest.approx([1.0, 1.0])
    assert decided(query, [A, B]).columns[0].details.basis == "load"  # type: ignore[union-attr]


def test_a_prompt_that_is_not_known_goes_to_the_less_busy_of_two_that_are_drawn() -> None:
    standings = [Standing(at=NOW, requests=n) for n in (9, 0, 5)]
    firsts = Counter[str]()
    for picks in range(300):
        query = asked(standings, prompt=0.0, picks=picks)
        scores = MarginalCostScorer().score(query, POOL)
        assert sorted(scores) == [0.0, 0.5, 1.0]
        firsts[POOL[scores.index(1.0)].address] += 1
    assert firsts[A.address] == 0
    assert firsts[B.address] == pytest.approx(200, abs=40)  # drawn two times of three
    decision = decided(asked(standings, prompt=0.0))
    assert decision.columns[0].details.basis == "two-choices"  # type: ignore[union-attr]


def test_a_picker_that_knows_less_than_the_servers_goes_by_their_metrics() -> None:
    pool = [
        endpoint(1, waiting=4, running=9, kv_cache_usage=0.5),
        endpoint(2, waiting=0, running=9, kv_cache_usage=0.5),
        structs.replace(endpoint(3), load=None),
    ]
    query = asked([], young=True)
    one, two, unknown = MarginalCostScorer().score(query, pool)
    assert (one, two, unknown) == pytest.approx((1 / 7, 3 / 7, 0.0))
    assert decided(query, pool).columns[0].details.basis == "metrics"  # type: ignore[union-attr]


def test_a_cost_is_said_in_milliseconds_the_largest_parts_first() -> None:
    query = asked([Standing(at=NOW, queued_s=2.0), Standing(at=NOW)])
    details = decided(query, [A, B]).columns[0].details
    assert details is not None
    terms = details.terms(0)
    total_ms = 1000 * sum(terms[part] for part in PARTS)
    assert details.words(0).startswith(f"{total_ms:.0f} ms: queue 2000, ")
    assert details.words(0).endswith("; 0% cached")
    assert "queue" not in details.words(1)


def test_what_a_choice_did_not_go_by_is_not_said() -> None:
    details = decided(asked([], young=True), [A, B]).columns[0].details
    assert details is not None
    assert details.words(0) == ""


KNOWN: list[tuple[dict[str, Any], str]] = [
    ({}, "approximate"),
    ({"plausible": False}, "load"),
    ({"prompt": 0.0}, "two-choices"),
    ({"young": True}, "metrics"),
]


@pytest.mark.parametrize(("known", "basis"), KNOWN)
def test_a_server_whose_metrics_have_died_is_avoided_whatever_the_choice_goes_by(
    known: dict[str, Any], basis: str
) -> None:
    pool = [endpoint(1), endpoint(2)]
    standings = [Standing(at=NOW), Standing(at=NOW, requests=2)]
    told = asked(standings, silent=frozenset({pool[0].address}), **known)
    assert decided(told, pool).winner is pool[1]
    assert decided(told, pool).columns[0].details.basis == basis  # type: ignore[union-attr]


@pytest.mark.parametrize(("known", "basis"), KNOWN)
def test_the_one_server_that_has_the_model_in_memory_is_preferred_whatever_the_choice_goes_by(
    known: dict[str, Any], basis: str
) -> None:
    has = {1: "mistral", 2: "llama", 3: "qwen"}
    pool = [endpoint(n, loaded=frozenset({model})) for n, model in has.items()]
    standings = [Standing(at=NOW, requests=n) for n in (0, 2, 0)]  # and has more to do
    told = asked(standings, models_differ=True, **known)
    assert decided(told, pool).winner is pool[1]
    assert decided(asked(standings, **known), pool).winner is not pool[1] or basis == "metrics"
    assert decided(told, pool).columns[0].details.basis == basis  # type: ignore[union-attr]
