"""What holds for every registered plugin, the next one included."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from epp.pool.endpoint import Endpoint
from epp.scheduling import catalogue, registry
from epp.scheduling.decision import Decision, Exhausted
from epp.scheduling.plugin import Hearing, Marking, Producer
from epp.scheduling.query import Query
from tests.scheduling import strategies
from tests.scheduling.examples import decision, endpoint, query

catalogue.load_builtin()

EVERY = [pytest.param(kind, name, id=name) for kind in registry.KINDS for name in kind.names()]
TOTALS = st.floats(0.0, 10.0) | st.sampled_from([0.0, 1.0, -1.0, 5e-324, 1e308])


def informed(query: Query, needs: Sequence[str], pool: Sequence[Endpoint]) -> Query:
    """Return the query with the facts that a plugin reads, after some earlier requests."""
    facts = {}
    for name in needs:
        producer: Producer = registry.producers.make(name, {})
        for earlier in pool[::2]:
            producer.reserve(query, decision(earlier), producer.produce(query, pool))
        facts[name] = producer.produce(query, pool)
    return structs.replace(query, facts=facts)


def same(before: Sequence[Endpoint], after: Sequence[Endpoint]) -> bool:
    return len(before) == len(after) and all(a is b for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_it_can_be_made_with_its_defaults(kind: registry.Registry[Any], name: str) -> None:
    assert kind.make(name, {}) is not None


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_an_unknown_parameter_is_an_error_that_names_it(
    kind: registry.Registry[Any], name: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match="noSuchParameter"):
        kind.make(name, {"noSuchParameter": 1})


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_its_parameters_are_frozen_and_in_camel_case(
    kind: registry.Registry[Any], name: str
) -> None:
    parameters = kind.parameters(name)
    assert parameters.__struct_config__.frozen
    assert not any("_" in field for field in parameters.__struct_encode_fields__)


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_what_it_needs_is_the_name_of_a_producer(kind: registry.Registry[Any], name: str) -> None:
    plugin = kind.make(name, {})
    needs = plugin.needs() if hasattr(plugin, "needs") else ()
    assert all(producer in registry.producers for producer in needs)


@pytest.mark.parametrize("name", registry.scorers.names())
@strategies.briefly
@given(query=strategies.queries, pool=strategies.endpoints())
def test_a_scorer_gives_one_score_from_0_to_1_for_each_endpoint(
    name: str, query: Query, pool: list[Endpoint]
) -> None:
    scorer = registry.scorers.make(name, {})
    asked = informed(query, scorer.needs(), pool)
    before = copy.copy(pool)
    scores = scorer.score(asked, pool)
    assert len(scores) == len(pool)
    assert all(0.0 <= score <= 1.0 for score in scores)
    assert same(before, pool)


@pytest.mark.parametrize("name", registry.scorers.names())
@strategies.briefly
@given(query=strategies.queries, pool=strategies.endpoints(min_size=2), data=st.data())
def test_a_score_belongs_to_the_endpoint_and_not_to_its_place(
    name: str, query: Query, pool: list[Endpoint], data: st.DataObject
) -> None:
    scorer = registry.scorers.make(name, {})
    asked = informed(query, scorer.needs(), pool)
    shuffled = data.draw(st.permutations(pool))
    by_address = dict(zip([e.address for e in pool], scorer.score(asked, pool), strict=True))
    assert list(scorer.score(asked, shuffled)) == [by_address[e.address] for e in shuffled]


LOAD_SCORERS = [
    "kv-cache-utilization-scorer",
    "load-aware-scorer",
    "lora-affinity-scorer",
    "queue-scorer",
    "running-requests-size-scorer",
]


@pytest.mark.parametrize("name", LOAD_SCORERS)
@strategies.briefly
@given(query=strategies.queries, pool=strategies.endpoints(min_size=1))
def test_an_endpoint_of_unknown_load_is_not_idle(
    name: str, query: Query, pool: list[Endpoint]
) -> None:
    scores = registry.scorers.make(name, {}).score(query, pool)
    for e, score in zip(pool, scores, strict=True):
        if e.fresh_load(query.now, query.max_load_age_s) is None:
            assert score == 0.0


@pytest.mark.parametrize("name", registry.filters.names())
@strategies.briefly
@given(query=strategies.queries, pool=strategies.endpoints())
def test_a_filter_keeps_some_in_their_order(name: str, query: Query, pool: list[Endpoint]) -> None:
    keeper = registry.filters.make(name, {})
    before = copy.copy(pool)
    kept = keeper.keep(informed(query, keeper.needs(), pool), pool)
    assert same(kept, [e for e in pool if any(e is k for k in kept)])
    assert same(before, pool)
    assert isinstance(keeper.exhausted, Exhausted)


@pytest.mark.parametrize("name", registry.pickers.names())
@strategies.briefly
@given(pool=strategies.endpoints(min_size=1), data=st.data(), seed=st.integers())
def test_a_picker_picks_candidates_and_none_twice(
    name: str, pool: list[Endpoint], data: st.DataObject, seed: int
) -> None:
    totals = data.draw(st.lists(TOTALS, min_size=len(pool), max_size=len(pool)))
    before = copy.copy(pool), copy.copy(totals)
    picked = registry.pickers.make(name, {}).pick(pool, totals, Random(seed))
    assert picked
    assert all(any(p is e for e in pool) for p in picked)
    assert len({p.address for p in picked}) == len(picked)
    assert same(before[0], pool)
    assert before[1] == totals


@pytest.mark.parametrize("name", registry.pickers.names())
def test_a_picker_has_no_chance_of_its_own(name: str) -> None:
    pool = [endpoint(number) for number in range(9)]
    picker = registry.pickers.make(name, {})
    one, other = (
        [picker.pick(pool, [1.0] * 9, rng)[0].address for _ in range(20)]
        for rng in (Random(7), Random(7))
    )
    assert one == other
    assert len(set(one)) > 1


@pytest.mark.parametrize("name", registry.producers.names())
@strategies.briefly
@given(query=strategies.queries, pool=strategies.endpoints(min_size=1), data=st.data())
def test_a_producer_bears_any_order_of_events(
    name: str, query: Query, pool: list[Endpoint], data: st.DataObject
) -> None:
    producer = registry.producers.make(name, {})
    before = copy.copy(pool)
    for winner in data.draw(st.lists(st.sampled_from(pool), max_size=4)):
        picked = decision(winner, pool)
        held = producer.reserve(query, picked, producer.produce(query, pool))
        if isinstance(producer, Hearing) and data.draw(st.booleans()):
            producer.first_token(query.settled(), picked, held, query.now + 1.0)
        if data.draw(st.booleans()):
            producer.forget(winner)
        outcome = data.draw(strategies.outcomes)
        producer.release(query.settled(), picked, held, outcome, query.now + 2.0)
    if isinstance(producer, Marking):
        headers = producer.response_headers(decision(pool[0]))
        assert all(isinstance(part, str) for header in headers for part in header)
    assert same(before, pool)


@pytest.mark.parametrize("name", registry.producers.names())
def test_the_fact_of_a_request_does_not_change_when_others_are_picked(name: str) -> None:
    pool = [endpoint(1), endpoint(2)]
    producer: Producer = registry.producers.make(name, {})
    asked = query("word " * 200, headers={"x-session-id": "s"})
    fact = producer.produce(asked, pool)
    told = msgspec.json.encode(repr(fact))
    producer.reserve(asked, Decision(0.0, "p", (pool[0],), tuple(pool)), fact)
    assert msgspec.json.encode(repr(fact)) == told


@pytest.mark.parametrize("name", registry.profile_handlers.names())
def test_a_profile_handler_chooses_a_profile_that_exists(name: str) -> None:
    handler = registry.profile_handlers.make(name, {})
    assert handler.choose(query(), ["one"]) == "one"
