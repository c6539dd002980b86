"""What each frame of a stream does, by the stream's state.

`STREAMS` is all of it. What is not there breaks the connection where the stream was never opened,
and otherwise the stream.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from epp.http2 import frames
from epp.http2.assembly import MESSAGE, MESSAGE_BYTES, PREFIX_BYTES, split
from epp.http2.errors import ErrorCode, Http2ConnectionError, Http2StreamError
from epp.http2.events import Ended, Message, Opened
from epp.http2.frames import END_HEADERS, END_STREAM, Frame, FrameType, number, unpadded
from epp.http2.guards import (
    ADVICE,
    ANSWERS_AT_ONCE,
    EMPTY_DATA,
    OVERLONG_LISTS,
    REFUSED_STREAMS,
    SILENT_RESETS,
    STRAY_HEADERS,
    STREAM_QUEUE_BYTES,
    STREAM_WINDOW,
    UNANSWERED_RESETS,
)
from epp.http2.head import Head, check_field
from epp.http2.leaving import Leaving
from epp.http2.status import CallError, Status, http_answer, trailers_only
from epp.http2.stream import Stream, StreamState

if TYPE_CHECKING:
    from epp.http2.connection import Connection

_GRPC = "application/grpc"
_MUCH = STREAM_WINDOW // 2
_GONE, _STREAM_OPEN = Leaving.YES, StreamState.OPEN  # faster than by the names of their classes

# the connection, the stream (None unless it is open), and the frame, or a whole block of headers
StreamEffect = Callable[["Connection", Any, Frame], None]


def _open(c: Connection, _: None, frame: Frame) -> None:
    stream_id, ends = frame.stream_id, bool(frame.flags & END_STREAM)
    if stream_id % 2 == 0:
        raise Http2ConnectionError(ErrorCode.PROTOCOL_ERROR, "a stream with a server's number")
    head = c.heads.read(frame.payload())  # before all else, for the blocks after it
    c.last_id = stream_id
    if head is None:
        c.count(OVERLONG_LISTS)
    if (answer := _answer_at_once(head)) is not None:
        _answer(c, stream_id, answer, ends=ends)
    elif c.leaving is _GONE or not _has_room(c):
        c.count(REFUSED_STREAMS)
        c.out.add(frames.reset(stream_id, ErrorCode.REFUSED_STREAM))
    elif head is not None:
        stream = c.streams[stream_id] = Stream(stream_id, c.peer.initial_window, head.length)
        c.events.append(Opened(stream_id, head.path, head.authority, head.timeout_s))
        if ends:
            _end(c, stream)


def _has_room(c: Connection) -> bool:
    limit = c.max_concurrent_streams
    return (not limit or len(c.streams) < limit) and c.capacity.streams.take(1)


def _answer_at_once(head: Head | None) -> bytes | None:
    """Return the answer to what is no call that can be served."""
    if head is None:
        return trailers_only(Status.RESOURCE_EXHAUSTED, "too many headers")
    if head.method != "POST":
        return http_answer(405)
    kind = head.content_type
    if kind != _GRPC and not kind.startswith((f"{_GRPC}+", f"{_GRPC};")):
        return http_answer(415)
    if head.encoding != "identity":
        return trailers_only(Status.UNIMPLEMENTED, f"{head.encoding} is not supported")
    return None


def _answer(c: Connection, stream_id: int, block: bytes, *, ends: bool) -> None:
    c.count(ANSWERS_AT_ONCE)
    c.out.add(frames.frame(FrameType.HEADERS, END_HEADERS | END_STREAM, stream_id, block))
    if not ends:
        c.out.add(frames.reset(stream_id, ErrorCode.NO_ERROR))


def _trailers(c: Connection, stream: Stream, frame: Frame) -> None:
    fields = c.heads.decoder.decode(frame.payload())
    if not frame.flags & END_STREAM:
        raise Http2StreamError(ErrorCode.PROTOCOL_ERROR, "headers within a body")
    for name, value in fields or ():
        check_field(name, value)
    _end(c, stream)


def _stray_headers(c: Connection, _: None, frame: Frame) -> None:
    """Read past the trailers of a stream that has ended here a moment ago."""
    c.count(STRAY_HEADERS)
    fields = c.heads.decoder.decode(frame.payload())
    if any(name.startswith(":") for name, _ in fields or ()):
        raise Http2ConnectionError(ErrorCode.PROTOCOL_ERROR, "a stream's number that was used")


def _late_headers(c: Connection, _: Stream, frame: Frame) -> None:
    """Read headers of a stream whose peer had ended it, so that the next block is understood."""
    c.heads.decoder.decode(frame.payload())
    raise Http2StreamError(ErrorCode.STREAM_CLOSED, "headers after the end")


def whole_messages(c: Connection, data: bytes, pos: int, size: int) -> int:
    """Take the frames from `pos` on that are what nearly all are: DATA without flags, with one
    message, whole, and nothing to be said about it. Return where another begins, which is left to
    the tables; they would do the same with these.
    """
    streams, events, largest = c.streams, c.events, c.largest
    taken = 0
    while size - pos >= MESSAGE_BYTES:
        word, flags, stream_id, compressed, length = MESSAGE.unpack_from(data, pos)
        end: int = pos + MESSAGE_BYTES + length
        if (
            word != length + PREFIX_BYTES << 8  # of a DATA frame the type is 0
            or flags
            or compressed
            or length > largest
            or end > size
            or (stream := streams.get(stream_id)) is None
            or stream.state is not _STREAM_OPEN
            or stream.pieces is not None  # nothing is unheard then either
            or stream.assembly is not None
            or stream.length is not None
        ):
            break
        length += PREFIX_BYTES
        taken += length
        stream.unreturned += length
        if stream.unreturned > _MUCH:
            c.credit_stream(stream, 0)
        stream.heard = True
        events.append(Message(stream_id, data[pos + MESSAGE_BYTES : end]))
        pos = end
    if taken:
        c.credit(taken)
    return pos


def _data(c: Connection, stream: Stream, frame: Frame) -> None:
    c.credit(frame.size)
    pos, end = unpadded(frame)
    if pos == end and not frame.flags & END_STREAM:
        c.count(EMPTY_DATA)
    if stream.length is not None:
        stream.length -= end - pos
    try:
        messages = _assemble(c, stream, frame.data, pos, end)
        if stream.unheard is not None or stream.queued > STREAM_QUEUE_BYTES:
            _hold_back(c, stream, messages, frame.size)
        else:
            for message in messages:
                c.events.append(Message(stream.id, message))
            stream.heard = stream.heard or bool(messages)
            c.credit_stream(stream, frame.size)
    except CallError as error:
        stream.peer_ended = bool(frame.flags & END_STREAM)
        c.refuse(stream, error.status, error.reason)
        return
    if stream.unreturned + stream.withheld > STREAM_WINDOW:
        raise Http2StreamError(ErrorCode.FLOW_CONTROL_ERROR, "more DATA than agreed")
    if frame.flags & END_STREAM:
        _end(c, stream)


def _assemble(c: Connection, stream: Stream, data: bytes, pos: int, end: int) -> list[bytes]:
    """Return the messages that end here, and account for what is held of one that does not."""
    unfinished = stream.assembly
    before = 0 if unfinished is None else unfinished.held
    try:
        messages, stream.assembly = split(unfinished, data, pos, end, c.max_message_bytes)
    except CallError:
        stream.assembly = None
        c.capacity.assembly.give_back(before)
        raise
    held = 0 if stream.assembly is None else stream.assembly.held
    if held != before and not c.capacity.assembly.take(held - before):
        stream.assembly = None
        c.capacity.assembly.give_back(before)
        raise CallError(Status.RESOURCE_EXHAUSTED, "too many messages are on their way")
    return messages


def _hold_back(c: Connection, stream: Stream, messages: list[bytes], size: int) -> None:
    """Keep messages until the peer has taken what it was sent. It gets no credit meanwhile."""
    if not c.capacity.unheard.take(sum(map(len, messages))):
        raise CallError(Status.RESOURCE_EXHAUSTED, "answers are not taken")
    stream.unheard = stream.unheard or []
    stream.unheard += messages
    stream.withheld += size


def _end(c: Connection, stream: Stream) -> None:
    stream.peer_ended = True
    if stream.length:
        raise Http2StreamError(ErrorCode.PROTOCOL_ERROR, "a body of another length than said")
    if stream.assembly is not None:
        c.refuse(stream, Status.INTERNAL, "the stream ended within a message")
        return
    stream.state = StreamState.HEARD_OUT
    if stream.unheard is not None:
        stream.end_unheard = True
    else:
        c.events.append(Ended(stream.id))


def _unheard_data(c: Connection, stream: Stream | None, frame: Frame) -> None:
    """Let go by what is for a stream that was answered. The connection's credit is given back."""
    c.credit(frame.size)
    if not (frame.size or frame.flags & END_STREAM):
        c.count(EMPTY_DATA)
    if stream is not None and frame.flags & END_STREAM:
        stream.peer_ended = True


def _unheard_headers(c: Connection, stream: Stream, frame: Frame) -> None:
    c.heads.decoder.decode(frame.payload())
    stream.peer_ended |= bool(frame.flags & END_STREAM)


def _reset(c: Connection, stream: Stream, _: Frame) -> None:
    """End a stream as Envoy ends every one. Only what got no answer is counted."""
    c.forget(stream)
    if not stream.answered:
        c.count(UNANSWERED_RESETS if stream.heard else SILENT_RESETS)


def _window_update(c: Connection, stream: Stream, frame: Frame) -> None:
    credit = number(frame.data, frame.pos) & frames.MAX_WINDOW
    if not credit:
        raise Http2StreamError(ErrorCode.PROTOCOL_ERROR, "no credit")
    stream.window_out += credit
    if stream.window_out > frames.MAX_WINDOW:
        raise Http2StreamError(ErrorCode.FLOW_CONTROL_ERROR, "a window beyond all bounds")
    if stream.pieces:
        c.out.pump_one(stream)
        c.moved(stream)


def _advice(c: Connection, _: Stream | None, __: Frame) -> None:
    c.count(ADVICE)


def _nothing(_: Connection, __: None, ___: Frame) -> None:
    """Ignore what crossed our end of the stream."""


S, F = StreamState, FrameType
STREAMS: Mapping[tuple[StreamState, FrameType], StreamEffect] = {
    (S.IDLE, F.HEADERS): _open,
    (S.IDLE, F.PRIORITY): _advice,
    (S.OPEN, F.DATA): _data,
    (S.OPEN, F.HEADERS): _trailers,
    (S.OPEN, F.RST_STREAM): _reset,
    (S.OPEN, F.WINDOW_UPDATE): _window_update,
    (S.OPEN, F.PRIORITY): _advice,
    (S.HEARD_OUT, F.HEADERS): _late_headers,
    (S.HEARD_OUT, F.RST_STREAM): _reset,
    (S.HEARD_OUT, F.WINDOW_UPDATE): _window_update,
    (S.HEARD_OUT, F.PRIORITY): _advice,
    (S.ANSWERED, F.DATA): _unheard_data,
    (S.ANSWERED, F.HEADERS): _unheard_headers,
    (S.ANSWERED, F.RST_STREAM): _reset,
    (S.ANSWERED, F.WINDOW_UPDATE): _window_update,
    (S.ANSWERED, F.PRIORITY): _advice,
    # what the peer sent before it knew of the end
    (S.CLOSED, F.DATA): _unheard_data,
    (S.CLOSED, F.HEADERS): _stray_headers,
    (S.CLOSED, F.RST_STREAM): _nothing,
    (S.CLOSED, F.WINDOW_UPDATE): _nothing,
    (S.CLOSED, F.PRIORITY): _advice,
}
