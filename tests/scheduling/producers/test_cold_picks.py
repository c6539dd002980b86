from __future__ import annotations

from epp.pool.endpoint import Endpoint
from epp.scheduling.producers.cold_picks import ColdPicksProducer
from tests.scheduling.books import facts
from tests.scheduling.examples import decision, endpoint, query

A, B, C = endpoint(1), endpoint(2), endpoint(3)


def send(producer: ColdPicksProducer, to: Endpoint, *, warm: bool = False) -> None:
    asked = query(facts=facts(tenths={C: 1} if warm else {}))
    producer.reserve(asked, decision(to), producer.produce(asked, []))


def order(producer: ColdPicksProducer) -> list[str]:
    return list(producer.produce(query(), []).order)


def made() -> ColdPicksProducer:
    return ColdPicksProducer(ColdPicksProducer.Parameters())


def test_the_last_one_is_last() -> None:
    producer = made()
    for to in (A, B, A):
        send(producer, to)
    assert order(producer) == [B.address, A.address]


def test_a_prompt_that_somebody_has_changes_nothing() -> None:
    producer = made()
    send(producer, A, warm=True)
    assert order(producer) == []


def test_an_endpoint_that_left_is_out() -> None:
    producer = made()
    send(producer, A)
    producer.forget(A)
    assert order(producer) == []
