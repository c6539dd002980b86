"""A conversation as Envoy holds it."""

from __future__ import annotations

import json

import pytest

from benchmarks.script import Script, Talk
from epp.exchange.modes import BodyMode

DUPLEX, BUFFERED = BodyMode.FULL_DUPLEX_STREAMED, BodyMode.BUFFERED


@pytest.mark.parametrize(
    ("talk", "messages"),
    [
        (Talk(), [1, 2, 1, 2]),
        (Talk(together=False), [1, 2, 1, 21]),
        (Talk(body_bytes=350_000), [1, 12, 1, 2]),
        (Talk(body_bytes=350_000, mode=BUFFERED), [1, 1, 1, 2]),
    ],
)
def test_bodies_come_in_as_many_messages_as_envoy_sends(talk: Talk, messages: list[int]) -> None:
    steps = Script(talk).next()
    assert [len(step) for step in steps] == messages
    body = b"".join(message.request_body.body for message in steps[1])
    assert len(body) == talk.body_bytes
    assert json.loads(body)["stream"] is True
    assert [message.request_body.end_of_stream for message in steps[1]].count(True) == 1
    assert steps[1][-1].request_body.end_of_stream
    answer = b"".join(message.response_body.body for message in steps[3])
    assert answer.count(b"\n\n") == talk.chunks + 1
    assert steps[3][-1].response_body.end_of_stream


def test_every_message_says_that_there_is_no_metadata_and_every_request_has_an_id() -> None:
    script = Script(Talk())
    one, other = script.next(), script.next()
    assert all(m.HasField("metadata_context") for step in one for m in step)
    assert one[0][0].request_headers != other[0][0].request_headers


@pytest.mark.parametrize("mode", [DUPLEX, BUFFERED])
def test_the_first_message_says_the_mode(mode: BodyMode) -> None:
    (headers,) = Script(Talk(mode=mode)).next()[0]
    assert headers.protocol_config.request_body_mode == mode.value
    assert headers.protocol_config.response_body_mode == mode.value


def test_no_two_conversations_have_one_prompt_and_all_share_its_beginning() -> None:
    script = Script(Talk())
    one, two = (script.next()[1][0].request_body.body for _ in range(2))
    assert one != two
    assert one[:1000] == two[:1000]
