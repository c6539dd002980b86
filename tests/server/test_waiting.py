"""Streams whose endpoint cannot take them yet."""

from __future__ import annotations

from typing import Any

import pytest

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.exchange.modes import BodyMode
from epp.server.conversation import Conversation
from epp.telemetry.decisions import sentence
from tests.server.envoy import (
    BUFFERED,
    DUPLEX,
    Refusal,
    destination,
    kinds,
    request_body,
    request_headers,
    response_body,
    response_headers,
)
from tests.server.picker import HEADER, Picker, pod

ONLY = "10.0.0.1:8000"
GATED = (
    HEADER
    + """
plugins: [{type: marginal-cost-scorer}]
flowControl:
  targets: {ttft: 2s, tpot: 50ms}
  maxRequests: 2
"""
)
LONG = {"model": "m", "stream": True, "prompt": "word " * 16_000}
MODES = pytest.mark.parametrize("mode", [DUPLEX, BUFFERED])
PLACED = {
    DUPLEX: ["request_headers", "request_body"],
    BUFFERED: ["request_body"],
}


class Stream:
    """A stream and what it was sent, at once and later."""

    def __init__(self, picker: Picker, mode: BodyMode, content: Any = LONG, **headers: str) -> None:
        self.later: list[pb.ProcessingResponse] = []
        self.conversation: Conversation = picker.stream()
        self.conversation.later = self.later.extend
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.conversation.receive(request_headers(mode=mode, headers=named))
        self.at_once = self.conversation.receive(request_body(content))


def gated() -> Picker:
    return Picker(pod(ONLY), config=GATED)


def names(replies: list[pb.ProcessingResponse]) -> list[str]:
    return [kind.rstrip("*") for kind in dict.fromkeys(k.rstrip("*") for k in kinds(replies))]


@MODES
def test_a_stream_waits_and_is_answered_when_another_gets_its_first_token(mode: BodyMode) -> None:
    picker = gated()
    first, second = Stream(picker, mode), Stream(picker, mode)
    assert names(first.at_once) == PLACED[mode]
    assert (second.at_once, second.later, second.conversation.waiting) == ([], [], True)

    picker.clock.now += 0.3
    first.conversation.receive(response_headers())
    first.conversation.receive(response_body(b"data: {}\n\n"))

    assert names(second.later) == PLACED[mode]
    assert destination(second.later[0]) == ONLY
    assert not second.conversation.waiting


@MODES
def test_the_body_comes_back_whole_after_the_wait(mode: BodyMode) -> None:
    picker = gated()
    first, second = Stream(picker, mode), Stream(picker, mode)
    first.conversation.close()
    parts = [
        reply.request_body.response.body_mutation.streamed_response.body
        for reply in second.later
        if reply.HasField("request_body")
    ]
    if mode is DUPLEX:
        assert b"".join(parts) == request_body(LONG).request_body.body


def test_who_goes_is_not_placed_and_leaves_nothing_behind() -> None:
    picker = gated()
    first, second, third = (Stream(picker, DUPLEX) for _ in range(3))
    second.conversation.close()
    first.conversation.close()
    assert second.later == []
    assert third.later
    third.conversation.close()
    assert picker.admission is not None
    assert len(picker.admission.room) == 0
    assert picker.in_flight.by_address() == {}


def test_an_answer_of_the_proxy_s_own_ends_the_wait() -> None:
    picker = gated()
    first, second = Stream(picker, DUPLEX), Stream(picker, DUPLEX)
    replies = second.conversation.receive(response_headers(504))
    assert kinds(replies) == ["response_headers"]
    assert not second.conversation.waiting
    first.conversation.close()
    assert second.later == []


@MODES
def test_a_full_room_is_a_429_that_says_when_to_come_again(mode: BodyMode) -> None:
    picker = gated()
    streams = [Stream(picker, mode) for _ in range(4)]
    refusal = Refusal(streams[-1].at_once)
    assert (refusal.status, refusal.reason) == (429, "rejected-capacity")
    assert int(refusal.headers["retry-after"]) >= 1
    assert streams[-1].conversation.finished


def test_a_request_that_is_refused_after_its_wait_is_answered_too() -> None:
    picker = gated()
    Stream(picker, DUPLEX)
    second = Stream(picker, DUPLEX, x_llm_d_request_timeout_ms="200")
    picker.clock.now += 0.25
    assert picker.admission is not None
    picker.admission.advance(picker.clock.now)
    assert Refusal(second.later).status == 504
    assert second.conversation.finished


def test_a_transport_that_cannot_answer_later_does_not_wait() -> None:
    picker = gated()
    Stream(picker, DUPLEX)
    stream = picker.stream()
    stream.receive(request_headers())
    assert kinds(stream.receive(request_body(LONG)))[0] == "request_headers"


def test_what_became_of_each_request_is_counted_by_what_it_waited_for() -> None:
    picker = gated()
    first, second, third, fourth = (Stream(picker, DUPLEX) for _ in range(4))
    assert fourth.conversation.finished
    third.conversation.close()
    picker.clock.now += 0.5
    first.conversation.close()
    second.conversation.close()
    assert picker.waits.requests == {
        ("Dispatched", "", 0): 1,
        ("RejectedCapacity", "", 0): 1,
        ("EvictedContextCancelled", "", 0): 1,
        ("Dispatched", "queue", 0): 1,
    }
    assert picker.waits.durations["Dispatched", 0].total == 0.5


def test_a_decision_says_what_the_targets_were_and_how_long_the_request_waited() -> None:
    picker = gated()
    first = Stream(picker, DUPLEX)
    Stream(picker, DUPLEX, x_llm_d_slo_ttft_ms="1500")
    picker.clock.now += 0.5
    first.conversation.close()
    waited, at_once = picker.decisions.latest(2)
    assert waited.facts["ttft_target_ms"] == 1500.0
    assert at_once.facts["tpot_target_ms"] == 50.0
    assert sentence(waited.decision).endswith("; waited 500 ms (queue)")


def test_the_record_of_a_stream_that_waited_has_its_whole_time() -> None:
    picker = gated()
    first, second = Stream(picker, DUPLEX), Stream(picker, DUPLEX)
    picker.clock.now += 0.5
    first.conversation.close()
    second.conversation.close()
    record = picker.records[-1]
    assert record.routed_at is not None
    assert record.routed_at - record.started_at == 0.5
