"""What each frame does to a connection, by the connection's state.

`FRAMES` is all of it: a pair that is not there is an error. Frames of one stream are looked up a
second time, by that stream's state, in `STREAMS`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from epp.http2 import frames
from epp.http2.errors import ErrorCode, Http2ConnectionError, Http2StreamError
from epp.http2.frames import ACK, END_HEADERS, END_STREAM, Frame, FrameType, number, unpadded
from epp.http2.guards import ADVICE, PINGS, SETTINGS
from epp.http2.header_block import HeaderBlock
from epp.http2.stream import Stream, StreamState
from epp.http2.stream_effects import STREAMS

if TYPE_CHECKING:
    from epp.http2.connection import Connection


class State(enum.IntEnum):
    """Where a connection stands."""

    AWAITING_PREFACE = enum.auto()  # 24 fixed bytes, no frames yet
    AWAITING_SETTINGS = enum.auto()
    OPEN = enum.auto()
    IN_HEADERS = enum.auto()  # nothing but the rest of a block may come
    CLOSED = enum.auto()


Effect = Callable[["Connection", Frame], None]

_WHOLE_HEADERS = {END_HEADERS, END_HEADERS | END_STREAM}  # nothing but a block, and all of it


def _settings(c: Connection, frame: Frame) -> None:
    _expect(frame.stream_id == 0, "SETTINGS of a stream")
    if frame.flags & ACK:
        _expect_size(frame.size == 0)
        c.settled = True
        c.heads.decoder.limit(0)
        return
    c.count(SETTINGS)
    before = c.peer.initial_window
    c.peer.read(frame.payload())
    c.out.add(frames.frame(FrameType.SETTINGS, ACK, 0))
    if change := c.peer.initial_window - before:
        _widen_all(c, change)


def _first_settings(c: Connection, frame: Frame) -> None:
    _expect(not frame.flags & ACK, "an answer to settings before one's own")
    c.state = State.OPEN
    c.vigil.begun = True
    _settings(c, frame)


def _widen_all(c: Connection, change: int) -> None:
    for stream in c.streams.values():
        stream.window_out += change
        if stream.window_out > frames.MAX_WINDOW:
            raise Http2ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, "a window beyond all bounds")
    _pump(c)


def _pump(c: Connection) -> None:
    for stream in c.out.pump():
        c.moved(stream)


def _ping(c: Connection, frame: Frame) -> None:
    _expect(frame.stream_id == 0, "PING of a stream")
    _expect_size(frame.size == 8)
    if frame.flags & ACK:
        c.pong(frame.payload())
        return
    c.count(PINGS)
    c.out.add(frames.frame(FrameType.PING, ACK, 0, frame.payload()))


def _goaway(c: Connection, frame: Frame) -> None:
    """Serve what there is; the peer will open nothing more."""
    _expect(frame.stream_id == 0, "GOAWAY of a stream")
    _expect_size(frame.size >= 8)
    c.drain(c.now)


def _window_update(c: Connection, frame: Frame) -> None:
    _expect_size(frame.size == 4)
    if frame.stream_id:
        _stream_window_update(c, frame)
        return
    credit = number(frame.data, frame.pos) & frames.MAX_WINDOW
    _expect(credit > 0, "no credit")
    if not c.out.widen(credit):
        raise Http2ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, "a window beyond all bounds")
    _pump(c)


def _headers(c: Connection, frame: Frame) -> None:
    if frame.flags in _WHOLE_HEADERS:
        _stream_headers(c, frame)
        return
    _expect(frame.stream_id != 0, "HEADERS without a stream")
    pos, end = unpadded(frame)
    if frame.flags & frames.HAS_PRIORITY:
        pos += 5
        _expect_size(pos <= end)
    ends_stream = bool(frame.flags & END_STREAM)
    block = HeaderBlock(frame.stream_id, frame.data[pos:end], ends_stream=ends_stream)
    if frame.flags & END_HEADERS:
        _whole_block(c, block)
    else:
        c.block = block
        c.state = State.IN_HEADERS


def _continuation(c: Connection, frame: Frame) -> None:
    block = c.block
    if block is None or block.stream_id != frame.stream_id:
        raise Http2ConnectionError(ErrorCode.PROTOCOL_ERROR, "CONTINUATION of something else")
    block.add(frame.payload())
    if frame.flags & END_HEADERS:
        c.block = None
        c.state = State.OPEN
        _whole_block(c, block)


def _whole_block(c: Connection, block: HeaderBlock) -> None:
    whole = block.whole()
    flags = END_STREAM if block.ends_stream else 0
    _stream_headers(c, Frame(flags, block.stream_id, whole, 0, len(whole)))


def ignore(c: Connection, _: Frame) -> None:
    """Do nothing, but not without end."""
    c.count(ADVICE)


def _of_stream(kind: FrameType, size: int | None = None) -> Effect:
    """Return what a frame of `kind` does, by the state of its stream."""
    rows = {state: STREAMS.get((state, kind)) for state in StreamState}

    def effect(c: Connection, frame: Frame) -> None:
        stream_id = frame.stream_id
        if not stream_id:
            raise _wrong("a frame without its stream")
        if size is not None:
            _expect_size(frame.size == size)
        stream: Stream | None = c.streams.get(stream_id)
        state = c.absent(stream_id) if stream is None else stream.state
        row = rows[state]
        try:
            if row is None:
                raise _out_of_place(state, kind)
            row(c, stream, frame)
        except Http2StreamError as error:
            c.fail_stream(stream_id, error)

    return effect


def _out_of_place(state: StreamState, kind: FrameType) -> Http2ConnectionError | Http2StreamError:
    what = f"{kind.name} while a stream is {state.name}"
    if state is StreamState.IDLE:
        return Http2ConnectionError(ErrorCode.PROTOCOL_ERROR, what)
    return Http2StreamError(ErrorCode.STREAM_CLOSED, what)


def _expect(right: bool, otherwise: str) -> None:
    if not right:
        raise _wrong(otherwise)


def _wrong(what: str) -> Http2ConnectionError:
    return Http2ConnectionError(ErrorCode.PROTOCOL_ERROR, what)


def _expect_size(right: bool) -> None:
    if not right:
        raise Http2ConnectionError(ErrorCode.FRAME_SIZE_ERROR, "a frame of a wrong size")


_stream_headers = _of_stream(FrameType.HEADERS)
_stream_window_update = _of_stream(FrameType.WINDOW_UPDATE)

S, F = State, FrameType
FRAMES: Mapping[tuple[State, FrameType], Effect] = {
    (S.AWAITING_SETTINGS, F.SETTINGS): _first_settings,
    (S.OPEN, F.DATA): _of_stream(F.DATA),
    (S.OPEN, F.HEADERS): _headers,
    (S.OPEN, F.PRIORITY): _of_stream(F.PRIORITY, 5),
    (S.OPEN, F.RST_STREAM): _of_stream(F.RST_STREAM, 4),
    (S.OPEN, F.SETTINGS): _settings,
    (S.OPEN, F.PING): _ping,
    (S.OPEN, F.GOAWAY): _goaway,
    (S.OPEN, F.WINDOW_UPDATE): _window_update,
    (S.IN_HEADERS, F.CONTINUATION): _continuation,
}
