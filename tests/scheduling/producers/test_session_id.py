from __future__ import annotations

from typing import Any

import msgspec
import pytest

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Outcome
from epp.scheduling.pin import Pin
from epp.scheduling.producers.session_id import SessionIdProducer
from epp.scheduling.registry import producers
from tests.scheduling.examples import NOW, decision, query

A, B = Endpoint("a:1", generation=1), Endpoint("b:1", generation=2)


def made(**parameters: Any) -> SessionIdProducer:
    return SessionIdProducer(SessionIdProducer.Parameters(**parameters))


def send(producer: SessionIdProducer, session: str, to: Endpoint, now: float = 0.0) -> None:
    asked = query(now=now, headers={"x-session-id": session})
    producer.reserve(asked, decision(to), producer.produce(asked, [A, B]))
    producer.release(asked, decision(to), None, Outcome(), NOW)


def pinned(producer: SessionIdProducer, session: str, now: float = 0.0) -> str:
    return producer.produce(query(now=now, headers={"x-session-id": session}), [A, B]).address


def test_a_session_is_pinned_to_where_its_last_request_went() -> None:
    producer = made()
    send(producer, "s", A)
    send(producer, "t", B)
    assert (pinned(producer, "s"), pinned(producer, "t")) == ("a:1", "b:1")
    send(producer, "s", B)
    assert pinned(producer, "s") == "b:1"


def test_a_new_session_has_no_pin() -> None:
    assert made().produce(query(headers={"x-session-id": "s"}), [A]) == Pin()


def test_a_request_without_a_session_is_not_remembered() -> None:
    producer = made()
    producer.reserve(query(), decision(A), Pin())
    assert producer.produce(query(), [A]) == Pin()
    assert repr(producer) == "<SessionIdProducer 0 sessions>"


def test_a_pin_expires_after_the_ttl_and_each_request_renews_it() -> None:
    producer = made()
    send(producer, "s", A, now=0.0)
    send(producer, "s", A, now=200.0)
    assert pinned(producer, "s", now=499.0) == "a:1"
    assert pinned(producer, "s", now=500.0) == ""


def test_the_pin_does_not_hold_a_later_endpoint_with_the_same_address() -> None:
    producer = made()
    send(producer, "s", A)
    producer.forget(A)
    pin = producer.produce(query(now=0.0, headers={"x-session-id": "s"}), [A])
    assert pin.holds(A)
    assert not pin.holds(Endpoint("a:1", generation=7))


def test_the_longest_silent_session_makes_room() -> None:
    producer = made(max_sessions=2)
    send(producer, "s", A)
    send(producer, "t", A)
    send(producer, "s", A)
    send(producer, "u", A)
    assert [pinned(producer, name) for name in "stu"] == ["a:1", "", "a:1"]


def test_expired_sessions_go_two_for_each_request() -> None:
    producer = made(ttl_seconds=10.0)
    for name in "abcd":
        send(producer, name, A, now=0.0)
    send(producer, "e", A, now=20.0)
    assert repr(producer) == "<SessionIdProducer 3 sessions>"
    send(producer, "e", A, now=20.0)
    assert repr(producer) == "<SessionIdProducer 1 sessions>"


def test_the_header_is_a_parameter_in_any_case() -> None:
    producer = made(header_name="X-Chat")
    asked = query(headers={"x-chat": "s"})
    producer.reserve(asked, decision(A), Pin())
    assert producer.produce(asked, [A]).address == "a:1"


def test_a_name_too_long_to_keep_is_no_name() -> None:
    producer = made()
    send(producer, "s" * 257, A)
    assert pinned(producer, "s" * 257) == ""
    send(producer, "s" * 256, A)
    assert pinned(producer, "s" * 256) == "a:1"


@pytest.mark.parametrize("parameters", [{"ttlSeconds": 0}, {"maxSessions": 0}, {"headerName": ""}])
def test_parameters_out_of_range_are_refused_at_load(parameters: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError, match=next(iter(parameters))):
        producers.make("session-id-producer", parameters)
