from __future__ import annotations

from typing import Any

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.exchange import actions, events
from epp.exchange.modes import BodyMode, Modes
from epp.server import codec
from epp.server.replies import Remembered, serialized


def _every_reply() -> list[Any]:
    mutation = actions.Mutation([("a", "b")], ["c"], clear_route_cache=True)
    metadata: actions.Metadata = {"ns": {"text": "x", "number": 1.5}}
    buffered = Modes(BodyMode.BUFFERED, BodyMode.NONE)
    return [
        actions.ReplyRequestHeaders(),
        actions.ReplyRequestHeaders(mutation),
        actions.ReplyRequestHeaders(mutation, metadata),
        actions.ReplyRequestHeaders(mutation, metadata, buffered),
        actions.ReplyRequestHeaders(None, {}, buffered),
        actions.ReplyRequestBody(),
        actions.ReplyRequestBody(mutation, metadata, b"body"),
        actions.StreamRequestBody(b"body", end_of_stream=True),
        actions.ReplyRequestTrailers(),
        actions.ReplyResponseHeaders(),
        actions.ReplyResponseHeaders(mutation, metadata),
        actions.ReplyResponseBody(),
        actions.ReplyResponseBody(b"", {}),
        actions.ReplyResponseBody(None, metadata),
        actions.ReplyResponseBody(b"body", metadata),
        actions.StreamResponseBody(b"body", end_of_stream=False),
        actions.StreamResponseBody(b"body", True, metadata),
        actions.ReplyResponseTrailers(metadata),
        actions.Refuse(events.Refused(503, "No.", "reason")),
        actions.Answer(events.Answered(200, [], b"{}")),
    ]


def test_the_bytes_of_each_reply_are_those_of_its_message_whenever_they_are_asked_for() -> None:
    for _ in range(2):  # some are remembered
        for action in _every_reply():
            message = pb.ProcessingResponse.FromString(serialized(action))
            assert message == codec.reply(action), action


def test_what_is_remembered_is_bounded() -> None:
    remembered = Remembered(limit=3)
    for n in range(10):
        action = actions.ReplyRequestHeaders(actions.Mutation([("a", str(n))]))
        reply = pb.ProcessingResponse.FromString(remembered.bytes_of(action))
        assert reply == codec.reply(action)
        assert len(remembered) <= 3
