from __future__ import annotations

import pytest

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Outcome
from epp.scheduling.producers.inflight_load import InFlight, InflightLoadProducer
from tests.scheduling.examples import NOW, decision, query

OLD = Endpoint("a:1", generation=1)
NEW = Endpoint("a:1", generation=2)
OTHER = Endpoint("b:1", generation=3)


@pytest.fixture
def producer() -> InflightLoadProducer:
    return InflightLoadProducer(InflightLoadProducer.Parameters())


def begin(producer: InflightLoadProducer, endpoint: Endpoint) -> None:
    producer.reserve(query(), decision(endpoint), InFlight())


def end(producer: InflightLoadProducer, endpoint: Endpoint) -> None:
    producer.release(query(), decision(endpoint), None, Outcome(), NOW)


def counts(producer: InflightLoadProducer) -> list[int]:
    found = producer.produce(query(), [])
    return [found.at(e) for e in (OLD, NEW, OTHER)]


def test_a_request_counts_from_its_pick_to_its_end(producer: InflightLoadProducer) -> None:
    begin(producer, OLD)
    begin(producer, OLD)
    begin(producer, OTHER)
    assert counts(producer) == [2, 0, 1]
    end(producer, OLD)
    assert counts(producer) == [1, 0, 1]


def test_nothing_is_kept_of_an_endpoint_without_requests(producer: InflightLoadProducer) -> None:
    begin(producer, OLD)
    end(producer, OLD)
    assert producer.produce(query(), []).requests == {}


def test_an_endpoint_that_comes_back_starts_at_zero(producer: InflightLoadProducer) -> None:
    begin(producer, OLD)
    producer.forget(OLD)
    assert counts(producer) == [0, 0, 0]


def test_a_late_end_of_an_earlier_life_is_not_subtracted(producer: InflightLoadProducer) -> None:
    begin(producer, OLD)
    producer.forget(OLD)
    begin(producer, NEW)
    end(producer, OLD)
    assert counts(producer) == [0, 1, 0]
    end(producer, NEW)
    assert counts(producer) == [0, 0, 0]


def test_the_fact_is_of_its_moment(producer: InflightLoadProducer) -> None:
    begin(producer, OLD)
    fact = producer.produce(query(), [OLD])
    begin(producer, OLD)
    assert fact.at(OLD) == 1


def test_it_says_how_many_requests_are_under_way(producer: InflightLoadProducer) -> None:
    begin(producer, OLD)
    begin(producer, OTHER)
    assert repr(producer) == "<InflightLoadProducer 2 requests>"
