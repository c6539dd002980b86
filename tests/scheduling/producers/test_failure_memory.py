from __future__ import annotations

from msgspec import structs

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Outcome
from epp.scheduling.producers.failure_memory import FailureMemoryProducer
from tests.scheduling.examples import NOW, decision, endpoint, query

A, B = endpoint(1), endpoint(2)


def made(avoid: float = 1.0, most: float = 8.0) -> FailureMemoryProducer:
    parameters = FailureMemoryProducer.Parameters(avoid_seconds=avoid, max_avoid_seconds=most)
    return FailureMemoryProducer(parameters)


def ended(memory: FailureMemoryProducer, to: Endpoint, status: int, now: float = NOW) -> None:
    memory.release(query(), decision(to), None, Outcome(status, completed=True), now)


def tried(memory: FailureMemoryProducer, to: Endpoint, status: int, now: float) -> None:
    asked = query(now=now)
    memory.reserve(asked, decision(to), memory.produce(asked, [A, B]))
    ended(memory, to, status, now)


def avoided(memory: FailureMemoryProducer, now: float = NOW) -> set[str]:
    return {address for address, _ in memory.produce(query(now=now), [A, B]).avoided}


def test_an_endpoint_that_cannot_be_reached_is_avoided_for_a_while() -> None:
    memory = made()
    ended(memory, A, 503)
    assert avoided(memory, NOW + 0.9) == {A.address}
    assert avoided(memory, NOW + 1.1) == set()


def test_one_other_failure_may_be_the_requests_own_fault() -> None:
    memory = made()
    ended(memory, A, 500)
    assert avoided(memory) == set()
    ended(memory, A, 500)
    assert avoided(memory) == {A.address}


def test_then_one_request_may_try_it() -> None:
    memory = made()
    ended(memory, A, 503)
    asked = query(now=NOW + 1.5)
    memory.reserve(asked, decision(A), memory.produce(asked, [A, B]))
    assert avoided(memory, NOW + 1.6) == {A.address}


def test_a_good_answer_makes_up_for_everything() -> None:
    memory = made()
    ended(memory, A, 503)
    tried(memory, A, 200, NOW + 1.5)
    assert avoided(memory, NOW + 1.6) == set()


def test_each_further_failure_doubles_the_time_up_to_a_limit() -> None:
    memory, now, waits = made(), NOW, []
    for _ in range(6):
        tried(memory, A, 503, now)
        wait = next(s / 10 for s in range(1, 1000) if not avoided(memory, now + s / 10))
        waits.append(round(wait))
        now += wait + 0.1
    assert waits[0] == 1
    assert waits == sorted(waits)
    assert waits[-1] == 8


def test_requests_that_were_under_way_when_it_failed_say_nothing_new() -> None:
    memory = made()
    for _ in range(50):
        ended(memory, A, 503)
    assert avoided(memory, NOW + 1.1) == set()


def test_nothing_seen_and_answers_that_break_off_teach_nothing() -> None:
    memory = made()
    for _ in range(9):
        ended(memory, A, 0)
        memory.release(query(), decision(A), None, Outcome(200), NOW)
    assert avoided(memory) == set()
    ended(memory, A, 503)
    ended(memory, A, 0)
    assert avoided(memory) == {A.address}


def test_an_error_of_the_client_is_an_answer() -> None:
    memory = made()
    ended(memory, A, 500)
    ended(memory, A, 400)
    ended(memory, A, 500)
    assert avoided(memory) == set()


def test_a_later_life_of_the_address_is_not_to_blame() -> None:
    memory = made()
    back = structs.replace(A, generation=9)
    ended(memory, A, 503)
    ((address, generation),) = memory.produce(query(), [back]).avoided
    assert (address, generation) != (back.address, back.generation)


def test_old_records_are_dropped_when_a_new_one_begins() -> None:
    memory = made()
    for number in range(100):
        ended(memory, endpoint(number), 503, NOW + number * 100.0)
    assert repr(memory) == "<FailureMemoryProducer 1 endpoints that failed>"


def test_an_endpoint_that_left_is_forgotten() -> None:
    memory = made()
    ended(memory, A, 503)
    memory.forget(A)
    assert avoided(memory) == set()
