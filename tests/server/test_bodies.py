"""The bytes must be protobuf's own, and what is not a body alone must be left to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.exchange.actions import StreamRequestBody, StreamResponseBody
from epp.exchange.chunks import CHUNK_BYTES
from epp.exchange.events import ResponseBody
from epp.server import bodies, codec
from tests.server.envoy import (
    request_body,
    request_headers,
    request_trailers,
    response_body,
    response_headers,
    response_trailers,
)

# around each size at which one of the lengths takes another byte
EDGES = sorted({
    edge + n for edge in (0, 1 << 7, 1 << 14, 1 << 21) for n in range(-24, 25) if edge + n >= 0
})  # fmt: skip


def read_by_protobuf(message: pb.ProcessingRequest) -> codec.Heard:
    return codec.Heard(codec.event(message), codec.around(message))


def _messages(size: int) -> list[pb.ProcessingRequest]:
    body = b"x" * size
    return [make(body, end=end) for make in (request_body, response_body) for end in (False, True)]


@pytest.mark.parametrize("size", EDGES)
def test_bodies_of_every_size_are_read_as_protobuf_reads_them(size: int) -> None:
    for message in _messages(size):
        assert bodies.read(message.SerializeToString()) == codec.event(message)
        assert bodies.hear(message.SerializeToString()) == read_by_protobuf(message)
        message.metadata_context.SetInParent()  # Envoy says of each message that there is none
        assert bodies.read(message.SerializeToString()) == codec.event(message)
        assert bodies.hear(message.SerializeToString()) == read_by_protobuf(message)


@pytest.mark.parametrize("size", EDGES)
def test_only_a_chunk_that_can_be_given_back_in_one_piece_is_read_as_one(size: int) -> None:
    for message in _messages(size):
        assert bodies.chunk(message.SerializeToString()) is None
        message.metadata_context.SetInParent()
        passes = isinstance(codec.event(message), ResponseBody) and size < CHUNK_BYTES
        chunk = b"x" * size if passes else None
        assert bodies.chunk(message.SerializeToString()) == chunk


@pytest.mark.parametrize("size", EDGES)
def test_a_chunk_is_given_back_as_protobuf_writes_it(size: int) -> None:
    part = StreamResponseBody(b"x" * size, end_of_stream=False)
    assert bodies.echo(part.data) == codec.reply(part).SerializeToString()


@pytest.mark.parametrize("body", [b"\x42\x00", b"ends as if there were metadata \x42\x00"])
def test_a_body_may_end_as_metadata_does(body: bytes) -> None:
    for message in (request_body(body, end=False), response_body(body, end=False)):
        for beside in (False, True):
            if beside:
                message.metadata_context.SetInParent()
            data = message.SerializeToString()
            assert bodies.read(data) in {None, codec.event(message)}
            assert bodies.hear(data) == read_by_protobuf(message)


@pytest.mark.parametrize("size", EDGES)
@pytest.mark.parametrize("kind", [StreamRequestBody, StreamResponseBody])
@pytest.mark.parametrize("end", [False, True])
def test_parts_of_every_size_are_written_as_protobuf_writes_them(
    kind: Any, size: int, end: bool
) -> None:
    part = kind(b"x" * size, end)
    assert bodies.write(part) == codec.reply(part).SerializeToString()


@pytest.mark.parametrize(
    "message",
    [
        pb.ProcessingRequest(),
        request_headers(),
        response_headers(),
        request_trailers(),
        response_trailers(),
        request_headers(end=True),
    ],
)
def test_all_other_messages_are_left_to_protobuf(message: pb.ProcessingRequest) -> None:
    data = message.SerializeToString()
    assert (bodies.read(data), bodies.hear(data)) == (None, None)


def _more(message: pb.ProcessingRequest, what: str) -> pb.ProcessingRequest:
    if what == "metadata":
        fields = message.metadata_context.filter_metadata["envoy.lb.subset_hint"].fields
        fields["x-gateway-destination-endpoint-subset"].string_value = "10.0.0.1:8000"
    elif what == "modes":
        message.protocol_config.response_body_mode = 2  # type: ignore[assignment]
    elif what == "observability":
        message.observability_mode = True
    else:
        message.attributes["a"].SetInParent()
    return message


@pytest.mark.parametrize("what", ["metadata", "modes", "observability", "attributes"])
@pytest.mark.parametrize("make", [request_body, response_body])
def test_what_stands_beside_a_body_is_read_too(make: Any, what: str) -> None:
    message = _more(make(b"body", end=False), what)
    data = message.SerializeToString()
    assert bodies.read(data) is None
    for _ in range(2):  # the second time it is known
        assert bodies.hear(data) == read_by_protobuf(message)


def test_two_events_in_one_message_are_left_to_protobuf() -> None:
    data = request_body(b"body").SerializeToString() + response_body(b"body").SerializeToString()
    assert (bodies.read(data), bodies.hear(data)) == (None, None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x2a",
        b"\x2a\x05\x0a\x02ab",  # longer than it is
        b"\x2a\x04\x0a\x02abc",  # shorter
        b"\x2a\x06\x0a\x02ab\x10\x00",  # an end that is written out as false
        b"\x2a\x06\x10\x01\x0a\x02ab",  # the other way round
        b"\x2a\x08\x0a\x02ab\x0a\x02cd",  # a body twice
        b"\x2a\xff\xff\xff\xff\xff\xff\x01ab",  # a length beyond all bounds
    ],
)
def test_unusual_framing_is_left_to_protobuf(data: bytes) -> None:
    assert (bodies.read(data), bodies.hear(data)) == (None, None)


@given(st.binary(max_size=40), st.sampled_from([b"\x22", b"\x2a"]))
def test_what_is_read_of_any_bytes_is_what_protobuf_reads(rest: bytes, tag: bytes) -> None:
    for data in (tag + rest, tag + bytes((len(rest),)) + rest):
        event, heard = bodies.read(data), bodies.hear(data)
        if event is not None:
            assert event == codec.event(pb.ProcessingRequest.FromString(data))
        if (chunk := bodies.chunk(data)) is not None:
            assert ResponseBody(chunk) == codec.event(pb.ProcessingRequest.FromString(data))
        if heard is not None:
            assert heard == read_by_protobuf(pb.ProcessingRequest.FromString(data))
