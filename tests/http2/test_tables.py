"""What is not in the tables is an error, each pair of it."""

from __future__ import annotations

from itertools import product
from struct import pack

import pytest

from epp.http2 import frames
from epp.http2.errors import ErrorCode
from epp.http2.frame_effects import FRAMES, State
from epp.http2.frames import FrameType
from epp.http2.stream import StreamState
from epp.http2.stream_effects import STREAMS
from tests.http2.peer import (
    BLOCK,
    HELLO,
    SETTLED,
    Server,
    call,
    data,
    frame,
    frames_code,
    say,
    settings,
    settled,
)

# of the right size, and harmless
PAYLOADS = {
    FrameType.DATA: b"\0\0\0\0\0",
    FrameType.HEADERS: BLOCK,
    FrameType.PRIORITY: pack(">LB", 0, 1),
    FrameType.RST_STREAM: pack(">L", 8),
    FrameType.SETTINGS: b"",
    FrameType.PUSH_PROMISE: b"",
    FrameType.PING: b"12345678",
    FrameType.GOAWAY: pack(">LL", 0, 0),
    FrameType.WINDOW_UPDATE: pack(">L", 1),
    FrameType.CONTINUATION: b"",
}
OF_CONNECTION = {FrameType.SETTINGS, FrameType.PING, FrameType.GOAWAY}

BEGINNINGS = {
    State.AWAITING_SETTINGS: frames.PREFACE,
    State.OPEN: HELLO,
    State.IN_HEADERS: HELLO + frame(FrameType.HEADERS, 0, 1, BLOCK),
}


def whole(kind: FrameType, stream_id: int) -> bytes:
    flags = frames.END_HEADERS if kind is FrameType.HEADERS else 0
    return frame(kind, flags, 0 if kind in OF_CONNECTION else stream_id, PAYLOADS[kind])


@pytest.mark.parametrize(
    ("state", "kind"),
    [pair for pair in product(BEGINNINGS, FrameType) if pair not in FRAMES],
    ids=lambda value: value.name,
)
def test_a_frame_that_a_connection_does_not_await_ends_it(state: State, kind: FrameType) -> None:
    server = Server()
    server.hear(BEGINNINGS[state])
    assert server.core.state is state
    server.hear(whole(kind, 1))
    assert server.core.state is State.CLOSED
    assert server.goaway[0] == "PROTOCOL_ERROR"


@pytest.mark.parametrize(("state", "kind"), sorted(FRAMES), ids=lambda value: value.name)
def test_a_frame_that_a_connection_awaits_does_not(state: State, kind: FrameType) -> None:
    server = Server()
    server.hear(BEGINNINGS[state])
    if state is State.OPEN:
        server.hear(call(1))
    server.hear(whole(kind, 1))
    assert server.core.state is not State.CLOSED


def in_state(state: StreamState) -> Server:
    """Return a server whose stream 1 is in that state."""
    server = settled()
    if state is StreamState.IDLE:
        return server
    server.hear(call(1, end=state is StreamState.HEARD_OUT))
    if state is StreamState.ANSWERED:
        server.hear(settings((4, 0)))
        server.core.send(1, b"x")
    if state in {StreamState.ANSWERED, StreamState.CLOSED}:
        server.core.end(1)
    server.listen()
    stream = server.core.streams.get(1)
    assert (server.core.absent(1) if stream is None else stream.state) is state
    server.said.clear()
    return server


OF_STREAM = [
    FrameType.DATA,
    FrameType.HEADERS,
    FrameType.PRIORITY,
    FrameType.RST_STREAM,
    FrameType.WINDOW_UPDATE,
]


@pytest.mark.parametrize(
    ("state", "kind"),
    [pair for pair in product(StreamState, OF_STREAM) if pair not in STREAMS],
    ids=lambda value: value.name,
)
def test_a_frame_that_a_stream_does_not_await_ends_it_or_all(
    state: StreamState, kind: FrameType
) -> None:
    server = in_state(state)
    server.hear(whole(kind, 1))
    if state is StreamState.IDLE:
        assert server.goaway[0] == "PROTOCOL_ERROR"
    else:
        [said] = server.of(FrameType.RST_STREAM, 1)
        assert said.code == ErrorCode.STREAM_CLOSED
        assert server.core.state is State.OPEN


ENDS_ALL = {(StreamState.CLOSED, FrameType.HEADERS)}  # a number that was used before


@pytest.mark.parametrize(("state", "kind"), sorted(STREAMS), ids=lambda value: value.name)
def test_a_frame_that_a_stream_awaits_leaves_the_connection(
    state: StreamState, kind: FrameType
) -> None:
    server = in_state(state)
    server.hear(whole(kind, 1))
    assert (server.core.state is State.CLOSED) == ((state, kind) in ENDS_ALL)


def test_a_block_is_continued_on_its_own_stream_alone() -> None:
    server = settled()
    server.hear(frame(FrameType.HEADERS, 0, 1, BLOCK), frame(FrameType.CONTINUATION, 4, 3))
    assert server.goaway[0] == "PROTOCOL_ERROR"


def test_settings_may_not_make_a_window_too_large() -> None:
    server = settled()
    server.hear(call(1), frame(FrameType.WINDOW_UPDATE, 0, 1, pack(">L", 2**31 - 1 - 65_535)))
    server.hear(settings((4, 65_536)))
    assert server.goaway[0] == "FLOW_CONTROL_ERROR"


def test_frames_of_unknown_types_are_ignored_but_not_within_headers() -> None:
    server = settled()
    assert server.hear(frame(0x42, 0xFF, 7, b"?")) == []
    assert server.core.state is State.OPEN
    server.hear(frame(FrameType.HEADERS, 0, 1, BLOCK), frame(0x42, 0, 1))
    assert server.goaway[0] == "PROTOCOL_ERROR"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (frame(FrameType.DATA, 0, 0, b"x"), "PROTOCOL_ERROR"),
        (frame(FrameType.HEADERS, 4, 0, BLOCK), "PROTOCOL_ERROR"),
        (frame(FrameType.HEADERS, 4, 2, BLOCK), "PROTOCOL_ERROR"),
        (frame(FrameType.RST_STREAM, 0, 0, bytes(4)), "PROTOCOL_ERROR"),
        (frame(FrameType.RST_STREAM, 0, 1, bytes(3)), "FRAME_SIZE_ERROR"),
        (frame(FrameType.PRIORITY, 0, 1, bytes(4)), "FRAME_SIZE_ERROR"),
        (frame(FrameType.SETTINGS, 0, 1), "PROTOCOL_ERROR"),
        (frame(FrameType.SETTINGS, 0, 0, bytes(5)), "FRAME_SIZE_ERROR"),
        (frame(FrameType.SETTINGS, 1, 0, bytes(6)), "FRAME_SIZE_ERROR"),
        (settings((4, 2**31)), "FLOW_CONTROL_ERROR"),
        (settings((5, 16_383)), "PROTOCOL_ERROR"),
        (settings((5, 2**24)), "PROTOCOL_ERROR"),
        (settings((2, 2)), "PROTOCOL_ERROR"),
        (frame(FrameType.PING, 0, 1, bytes(8)), "PROTOCOL_ERROR"),
        (frame(FrameType.PING, 0, 0, bytes(7)), "FRAME_SIZE_ERROR"),
        (frame(FrameType.GOAWAY, 0, 1, bytes(8)), "PROTOCOL_ERROR"),
        (frame(FrameType.GOAWAY, 0, 0, bytes(7)), "FRAME_SIZE_ERROR"),
        (frame(FrameType.WINDOW_UPDATE, 0, 0, bytes(4)), "PROTOCOL_ERROR"),
        (frame(FrameType.WINDOW_UPDATE, 0, 0, bytes(3)), "FRAME_SIZE_ERROR"),
        (frame(FrameType.WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff"), "FLOW_CONTROL_ERROR"),
        (frame(FrameType.DATA, 0, 1, bytes(16_385)), "FRAME_SIZE_ERROR"),
        (frame(FrameType.HEADERS, 0x8 | 4, 1), "FRAME_SIZE_ERROR"),
        (frame(FrameType.HEADERS, 0x8 | 4, 1, b"\x05abc"), "PROTOCOL_ERROR"),
        (frame(FrameType.HEADERS, 0x20 | 4, 1, b"1234"), "FRAME_SIZE_ERROR"),
        (call(3) + call(1), "PROTOCOL_ERROR"),
    ],
)
def test_a_frame_that_cannot_be_ends_the_connection(wrong: bytes, code: str) -> None:
    server = settled()
    server.hear(wrong)
    assert server.goaway[0] == code
    assert server.core.finished


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (frame(FrameType.WINDOW_UPDATE, 0, 1, bytes(4)), "PROTOCOL_ERROR"),
        (frame(FrameType.WINDOW_UPDATE, 0, 1, b"\x7f\xff\xff\xff"), "FLOW_CONTROL_ERROR"),
        (frame(FrameType.HEADERS, 4, 1, b"\x00\x01x\x01y"), "PROTOCOL_ERROR"),
        (frame(FrameType.HEADERS, 5, 1, b"\x00\x02:x\x01y"), "PROTOCOL_ERROR"),
        (call(3, (b"X", b"y")), "PROTOCOL_ERROR"),
    ],
)
def test_a_frame_that_its_stream_cannot_have_ends_the_stream(wrong: bytes, code: str) -> None:
    server = settled()
    server.hear(call(1))
    server.hear(wrong)
    [said] = server.of(FrameType.RST_STREAM)
    assert frames_code(said.code) == code
    assert server.core.state is State.OPEN


@pytest.mark.parametrize(
    "beginning", [b"GET / HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\nXX", b"\x16\x03"]
)
def test_what_is_not_http2_is_told_so(beginning: bytes) -> None:
    server = Server()
    server.hear(beginning)
    assert server.goaway == ("PROTOCOL_ERROR", "this is not HTTP/2")


def test_settings_must_come_before_an_answer_to_ours() -> None:
    server = Server()
    server.hear(frames.PREFACE + SETTLED)
    assert server.goaway[0] == "PROTOCOL_ERROR"


def test_a_body_of_another_length_than_it_said_breaks_its_stream() -> None:
    server = settled()
    server.hear(call(1, (b"content-length", b"7")), say(1, b"abc", end=True))
    server.hear(call(3, (b"content-length", b"8")), data(3, b"", end=True))
    assert [said.stream_id for said in server.of(FrameType.RST_STREAM)] == [1, 3]
    server.hear(call(5, (b"content-length", b"8")), say(5, b"abc", end=True))
    assert 5 in server.core.streams
