from __future__ import annotations

import pytest

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Outcome
from epp.scheduling.pin import Pin
from epp.scheduling.producers.session_token import HEADER, SessionTokenProducer
from tests.scheduling.examples import NOW, decision, query

POOL = [Endpoint("10.0.0.1:8000"), Endpoint("[fd00::1]:8000")]


@pytest.fixture
def producer() -> SessionTokenProducer:
    return SessionTokenProducer(SessionTokenProducer.Parameters())


@pytest.mark.parametrize("endpoint", POOL, ids=str)
def test_the_token_of_an_answer_leads_the_next_request_back(
    producer: SessionTokenProducer, endpoint: Endpoint
) -> None:
    headers = dict(producer.response_headers(decision(endpoint)))
    pin = producer.produce(query(headers=headers), POOL)
    assert [pin.holds(e) for e in POOL] == [e is endpoint for e in POOL]


def test_the_token_is_the_address_in_base64(producer: SessionTokenProducer) -> None:
    assert producer.response_headers(decision(POOL[0])) == ((HEADER, "MTAuMC4wLjE6ODAwMA=="),)


@pytest.mark.parametrize("token", ["", "not base64", "AAA", "gICA", "ÄÖÜ", "10.0.0.1:8000"])
def test_a_token_that_cannot_be_read_is_no_token(
    producer: SessionTokenProducer, token: str
) -> None:
    assert producer.produce(query(headers={HEADER: token}), POOL) == Pin()


def test_a_request_without_a_token_has_no_pin(producer: SessionTokenProducer) -> None:
    assert producer.produce(query(), POOL) == Pin()


def test_nothing_is_remembered(producer: SessionTokenProducer) -> None:
    producer.reserve(query(), decision(POOL[0]), Pin())
    producer.release(query(), decision(POOL[0]), None, Outcome(), NOW)
    producer.forget(POOL[0])
    assert producer.produce(query(), POOL) == Pin()
