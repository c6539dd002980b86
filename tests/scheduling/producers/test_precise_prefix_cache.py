from __future__ import annotations

from typing import Any

import pytest

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Outcome
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.producers.precise_prefix_cache import (
    PRECISE_PREFIX,
    PreciseMatches,
    PrecisePrefixCacheProducer,
    Wanted,
)
from epp.scheduling.query import Query
from epp.scheduling.registry import producers
from epp.scheduling.scorers.prefix_cache import PrefixCacheScorer
from tests.scheduling.examples import NOW, decision, endpoint, query
from tests.scheduling.kv.recorded import batch, stored, tokens

A, B, C = POOL = [endpoint(number) for number in (1, 2, 3)]
IDS = list(range(400, 480))
TEXT = "word " * 400


@pytest.fixture
def producer() -> PrecisePrefixCacheProducer:
    made = producers.make(PRECISE_PREFIX, {})
    assert isinstance(made, PrecisePrefixCacheProducer)
    made.seed = 99
    return made


def tell(producer: PrecisePrefixCacheProducer, to: Endpoint, ids: list[int]) -> None:
    feed = producer.feeds.of(to.address)
    feed.take(0, batch(stored(range(len(ids) // 4), ids)))


def asked(ids: list[int] | None = None, share: float = 1.0, **rest: Any) -> Query:
    known = None if ids is None else tokens(ids, share)
    return query(TEXT, tokens=known, **rest)


def serve(
    producer: PrecisePrefixCacheProducer, by: Endpoint, told: Query, **outcome: Any
) -> PreciseMatches:
    fact = producer.produce(told, POOL)
    picked = decision(by, POOL)
    held = producer.reserve(told, picked, fact)
    end = Outcome(status=200, completed=True, **outcome)
    producer.release(told.settled(), picked, held, end, told.now + 0.5)
    return fact


def test_endpoints_that_tell_are_precise_and_the_others_are_guessed(
    producer: PrecisePrefixCacheProducer,
) -> None:
    tell(producer, A, IDS[:40])
    producer.feeds.of(B.address).caught_up()
    serve(producer, C, asked(IDS))
    fact = producer.produce(asked(IDS), POOL)
    assert fact.precise == {A.address, B.address}
    assert fact.matched[A.address] == 40
    assert B.address not in fact.matched
    assert fact.share_at(C.address) == pytest.approx(0.9, abs=0.1)
    assert fact.share_at(A.address) == 0.5


def test_any_scorer_works_with_it(producer: PrecisePrefixCacheProducer) -> None:
    tell(producer, A, IDS[:40])
    producer.feeds.of(B.address).caught_up()
    fact = producer.produce(asked(IDS), POOL)
    told = asked(IDS, facts={PRECISE_PREFIX: fact})
    scorer = PrefixCacheScorer(prefix_match_info_producer_name=PRECISE_PREFIX)
    scores = scorer.score(told, POOL)
    assert scores == [0.5, 0.0, 0.0]
    assert scores.details.basis == "precise and approximate"
    assert scores.details.terms(0) == {
        "prompt_tokens": 80.0,
        "cached_tokens": 40.0,
        "trust": 1.0,
        "precise": 1.0,
    }
    assert scorer.score(told, POOL[:2]).details.basis == "precise"
    assert scorer.score(told, [C]).details.basis == "approximate"


def test_a_prompt_whose_tokens_are_not_known_is_guessed_and_wanted(
    producer: PrecisePrefixCacheProducer,
) -> None:
    tell(producer, A, IDS)
    fact = serve(producer, B, asked())
    assert fact.precise == ()
    assert fact.matched == {}
    assert producer.produce(asked(), POOL).matched == {B.address: 7}
    assert producer.take_wanted() == [Wanted("llama", TEXT, B)]
    assert producer.take_wanted() == []


def test_a_prompt_that_is_known_whole_is_not_wanted(producer: PrecisePrefixCacheProducer) -> None:
    serve(producer, B, asked(IDS))
    assert producer.take_wanted() == []
    serve(producer, B, asked(IDS, share=0.5))
    assert len(producer.take_wanted()) == 1


def test_of_too_many_wanted_prompts_the_oldest_are_dropped(
    producer: PrecisePrefixCacheProducer,
) -> None:
    for _ in range(70):
        serve(producer, B, asked())
    assert len(producer.take_wanted()) == 64
    assert producer.dropped == 6


def test_beyond_the_tokens_that_are_known_a_guess_counts(
    producer: PrecisePrefixCacheProducer,
) -> None:
    tell(producer, A, IDS[:40])  # it may have more of this prompt, B cannot
    tell(producer, B, IDS[:8])
    for by in (A, B):
        serve(producer, by, asked())
    fact = producer.produce(asked(IDS[:40], share=0.5), POOL)
    assert fact.precise == {B.address}
    assert fact.matched[B.address] == 8
    assert fact.matched[A.address] > 40
    assert fact.prompt_units == 80.0


def test_a_broken_stream_is_guessed(producer: PrecisePrefixCacheProducer) -> None:
    tell(producer, A, IDS)
    producer.feeds.of(A.address).lose()
    fact = producer.produce(asked(IDS), POOL)
    assert fact.precise == ()
    assert fact.matched == {}


def test_of_a_stream_with_a_gap_the_better_of_both_counts(
    producer: PrecisePrefixCacheProducer,
) -> None:
    producer.feeds.of(A.address).resume(7, batch(stored([1], IDS[:4])))
    fact = producer.produce(asked(IDS), POOL)
    assert fact.matched == {A.address: 4}
    assert fact.precise == frozenset()
    serve(producer, A, asked(IDS))
    assert producer.produce(asked(IDS), POOL).matched[A.address] > 60


@pytest.mark.parametrize(("ttl", "seconds"), [("2s", 2.0), ("500ms", 0.5)])
def test_a_young_pick_is_counted_on_if_that_is_wanted(ttl: str, seconds: float) -> None:
    parameters = {"speculativeIndexing": True, "speculativeTTL": ttl}
    producer = producers.make(PRECISE_PREFIX, parameters)
    assert isinstance(producer, PrecisePrefixCacheProducer)
    tell(producer, A, IDS[40:])
    tell(producer, B, IDS[40:])
    serve(producer, A, asked(IDS))
    fact = producer.produce(asked(IDS, now=NOW + seconds - 0.1), POOL)
    assert fact.matched[A.address] > 60
    assert fact.precise == {B.address}
    later = producer.produce(asked(IDS, now=NOW + seconds), POOL)
    assert later.matched == {}
    assert later.precise == {A.address, B.address}


def test_a_young_pick_is_not_counted_on_otherwise(producer: PrecisePrefixCacheProducer) -> None:
    tell(producer, A, IDS[40:])
    serve(producer, A, asked(IDS))
    assert producer.produce(asked(IDS), POOL).matched == {}


def test_an_endpoint_that_left_is_forgotten(producer: PrecisePrefixCacheProducer) -> None:
    tell(producer, A, IDS)
    serve(producer, A, asked(IDS))
    producer.forget(A)
    fact = producer.produce(asked(IDS), POOL)
    assert (fact.matched, fact.precise) == ({}, ())


def test_tokens_that_are_not_the_servers_are_found_out(
    producer: PrecisePrefixCacheProducer,
) -> None:
    tell(producer, A, IDS)
    wrong = IDS[::-1]
    for number in range(8):
        serve(producer, A, asked(wrong, now=NOW + 10.0 * number))
    assert producer.distrusted() == ["llama"]
    fact = producer.produce(asked(wrong, now=NOW + 100.0), POOL)
    assert fact.precise == ()
    assert fact.matched == {A.address: 7}
    assert producer.produce(asked(IDS, model="other"), POOL).precise == {A.address}


def test_tokens_that_are_the_servers_stay_trusted(producer: PrecisePrefixCacheProducer) -> None:
    tell(producer, A, IDS)
    for number in range(8):
        serve(producer, A, asked(IDS, now=NOW + 10.0 * number))
    assert producer.distrusted() == []
    assert producer.produce(asked(IDS, now=NOW + 100.0), POOL).precise == {A.address}


def test_an_endpoint_that_reports_less_than_it_told_is_believed_so_much_less(
    producer: PrecisePrefixCacheProducer,
) -> None:
    tell(producer, A, IDS)
    for _ in range(4):
        serve(producer, A, asked(IDS), prompt_tokens=8000, cached_tokens=2000)
    fact = producer.produce(asked(IDS), POOL)
    assert fact.trust == {A.address: pytest.approx(0.25)}
    (trust,) = [figure for figure in producer.figures() if figure.name == "prefix_events_trust"]
    assert trust.address == A.address
    assert trust.value == pytest.approx(0.25)


def test_names_of_models_do_not_fill_the_memory(producer: PrecisePrefixCacheProducer) -> None:
    tell(producer, A, IDS)
    for number in range(600):
        serve(producer, A, asked(IDS, model=f"model-{number}"))
    assert len(producer._agreements) <= 256


def test_its_fact_is_that_of_the_other_producer_too(producer: PrecisePrefixCacheProducer) -> None:
    assert isinstance(producer.produce(asked(IDS), POOL), PrefixMatches)


def test_without_discovery_it_must_be_told_where_events_come_in() -> None:
    with pytest.raises(ValueError, match="zmqEndpoint"):
        producers.make(PRECISE_PREFIX, {"kvEventsConfig": {"discoverPods": False}})
