"""One HTTP/2 connection with gRPC calls on it, from the server's side: bytes in, events out.

`receive` takes what came and returns what happened; what is to be sent collects until `take`. It
has no socket and no clock. What is allowed when is in two tables, `FRAMES` and `STREAMS`.
"""

from __future__ import annotations

from collections.abc import Sequence

from epp.http2 import frames, peer_settings
from epp.http2.assembly import PREFIX_BYTES
from epp.http2.errors import ErrorCode, Http2ConnectionError, Http2StreamError
from epp.http2.events import Ended, Event, Gone, Message
from epp.http2.frame_effects import FRAMES, Effect, State, ignore
from epp.http2.frames import HEADER, HEADER_BYTES, MAX_FRAME_BYTES, Frame, FrameType
from epp.http2.guards import (
    CONNECTION_QUEUE_BYTES,
    CONNECTION_WINDOW,
    GOAWAY_GRACE_S,
    SILENT_RESETS,
    STALLED_S,
    STREAM_QUEUE_BYTES,
    STREAM_WINDOW,
    Capacity,
    Patience,
    Rate,
)
from epp.http2.head import HeadReader
from epp.http2.header_block import HeaderBlock
from epp.http2.leaving import Leaving
from epp.http2.output import Output
from epp.http2.peer_settings import PeerSettings
from epp.http2.status import Status, trailers, trailers_only
from epp.http2.stream import Stream, StreamState
from epp.http2.stream_effects import whole_messages
from epp.http2.vigil import Vigil

_KINDS = len(FrameType)
_ROWS: dict[State, tuple[Effect | None, ...]] = {
    state: tuple(FRAMES.get((state, kind)) for kind in FrameType) for state in State
}
_KEEPALIVE = b"keepaliv"
_DRAIN = b"draining"

# On the way of each frame: a member of an enum that is asked of its class takes 80 ns to find.
_AWAITING_PREFACE, _OPEN, _CLOSED = State.AWAITING_PREFACE, State.OPEN, State.CLOSED
_ANSWERED, _STREAM_OPEN = StreamState.ANSWERED, StreamState.OPEN
_GONE = Leaving.YES


class Connection:
    """What both sides have said, and what of it is still to be done."""

    def __init__(
        self,
        now: float,
        capacity: Capacity,
        *,
        max_message_bytes: int,
        max_concurrent_streams: int = 0,
    ) -> None:
        self.state = State.AWAITING_PREFACE
        self.now = now
        self.capacity = capacity
        self.max_message_bytes = max_message_bytes
        self.largest = min(max_message_bytes, MAX_FRAME_BYTES - PREFIX_BYTES)  # in one frame
        self.max_concurrent_streams = max_concurrent_streams
        self.events: list[Event] = []
        self.streams: dict[int, Stream] = {}
        self.last_id = 0
        self.peer = PeerSettings()
        self.out = Output(self.peer)
        self.heads = HeadReader()
        self.block: HeaderBlock | None = None
        self.unreturned = 0  # credit that the peer has not been told of
        self.leaving = Leaving.NO
        self.failure: Http2ConnectionError | None = None
        self.settled = False  # the peer has agreed to our settings
        self._patience = Patience()
        self._rest = b""
        self.vigil = Vigil(now)
        self._left_at = 0.0
        self.out.add(peer_settings.own(max_concurrent_streams))
        self.out.add(frames.window_update(0, CONNECTION_WINDOW - self.out.window))

    def __repr__(self) -> str:
        return f"<Connection {self.state.name}, {len(self.streams)} streams>"

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do but to send the rest and close."""
        return self.state is _CLOSED or (self.leaving is _GONE and not self.streams)

    # --- what comes ---------------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take bytes of the peer and return what they tell."""
        self.now = self.out.now = self.vigil.heard_at = now
        self.events = []
        if self.state is not _CLOSED:
            try:
                self._rest = self._read(self._rest + data if self._rest else data)
            except Http2ConnectionError as error:
                self.fail(error)
            if self.out.queued > CONNECTION_QUEUE_BYTES:
                self._shed()
        return self.events

    def _read(self, data: bytes) -> bytes:
        """Read the frames that are whole; return the rest."""
        pos, size = 0, len(data)
        if self.state is _AWAITING_PREFACE:
            pos = self._read_preface(data)
            if not pos:
                return data
        while size - pos >= HEADER_BYTES:
            if self.state is _OPEN:
                pos = whole_messages(self, data, pos, size)
                if size - pos < HEADER_BYTES:
                    break
            end = self._read_frame(data, pos, size)
            if not end:
                break
            pos = end
        return data[pos:] if pos else data

    def _read_frame(self, data: bytes, pos: int, size: int) -> int:
        """Read a frame and return its end; 0: it is not whole yet."""
        word, flags, stream_id = HEADER.unpack_from(data, pos)
        start = pos + HEADER_BYTES
        end: int = start + (word >> 8)
        if end - start > MAX_FRAME_BYTES:
            raise Http2ConnectionError(ErrorCode.FRAME_SIZE_ERROR, "a frame larger than agreed")
        if end > size:
            return 0
        self._perform(word & 0xFF, Frame(flags, stream_id & frames.MAX_STREAM_ID, data, start, end))
        return end

    def _perform(self, kind: int, frame: Frame) -> None:
        effect = _ROWS[self.state][kind] if kind < _KINDS else _unknown(self.state)
        if effect is None:
            raise Http2ConnectionError(
                ErrorCode.PROTOCOL_ERROR, f"frame of type {kind} while {self.state.name}"
            )
        effect(self, frame)

    def _read_preface(self, data: bytes) -> int:
        size = len(frames.PREFACE)
        if not frames.PREFACE.startswith(data[:size]):
            raise Http2ConnectionError(ErrorCode.PROTOCOL_ERROR, "this is not HTTP/2")
        if len(data) < size:
            return 0
        self.state = State.AWAITING_SETTINGS
        return size

    # --- what is sent -------------------------------------------------------------------------

    def send(self, stream_id: int, message: bytes) -> None:
        """Send a message; nothing happens if the stream is over."""
        self.send_all(stream_id, (message,))

    def send_all(self, stream_id: int, messages: Sequence[bytes]) -> None:
        """Send several."""
        stream = self.streams.get(stream_id)
        if stream is not None and stream.state is not _ANSWERED:
            self.out.messages(stream, messages)

    def end(self, stream_id: int, status: Status = Status.OK, reason: str = "") -> None:
        """End a call, after all messages that were sent."""
        stream = self.streams.get(stream_id)
        if stream is None or stream.state is StreamState.ANSWERED:
            return
        block = trailers(status, reason) if stream.answered else trailers_only(status, reason)
        stream.state = StreamState.ANSWERED
        self._drop_received(stream)
        if self.out.end(stream, block):
            self.finish(stream)

    def drain(self, now: float) -> None:
        """Announce the end of the connection. What the peer has begun, or begins before it knows,
        is served to its end.
        """
        if self.state is not State.CLOSED and self.leaving is Leaving.NO:
            self.leaving = Leaving.ANNOUNCED
            self._left_at = now
            self.out.add(frames.goaway(frames.MAX_STREAM_ID, ErrorCode.NO_ERROR))
            self.out.add(frames.frame(FrameType.PING, 0, 0, _DRAIN))

    def take(self) -> bytes:
        """Return the bytes that can leave now."""
        return self.out.take()

    # --- time ---------------------------------------------------------------------------------

    def tick(self, now: float) -> list[Event]:
        """Do what is due; asked about once a second."""
        self.now = self.out.now = now
        self.events = []
        if self.state is State.CLOSED:
            return self.events
        try:
            if self.vigil.ask(now, settled=self.settled):
                self.out.add(frames.frame(FrameType.PING, 0, 0, _KEEPALIVE))
        except Http2ConnectionError as error:
            self.fail(error)
        if self.vigil.idle(now, streams=len(self.streams)):
            self.drain(now)
        if self.leaving is Leaving.ANNOUNCED and now - self._left_at >= GOAWAY_GRACE_S:
            self._leave()
        for stream in self.out.blocked:
            if now - stream.stalled_at >= STALLED_S:
                self.reset(stream, ErrorCode.CANCEL)
        return self.events

    def pong(self, payload: bytes) -> None:
        """Take the answer to a PING of ours."""
        if payload == _DRAIN and self.leaving is Leaving.ANNOUNCED:
            self._leave()

    def _leave(self) -> None:
        self.leaving = Leaving.YES
        self.out.add(frames.goaway(self.last_id, ErrorCode.NO_ERROR))

    # --- streams ------------------------------------------------------------------------------

    def count(self, rate: Rate) -> None:
        """Count something that a peer may not do without end; Http2ConnectionError when it does."""
        self._patience.count(rate, self.now)

    def absent(self, stream_id: int) -> StreamState:
        """Return the state of a stream that is not open."""
        return StreamState.IDLE if stream_id > self.last_id else StreamState.CLOSED

    def credit(self, size: int) -> None:
        """Give back to the connection what a DATA frame took.

        At once: a stream that is not heard is held back by its own window, and may not hold back
        the others.
        """
        self.unreturned += size
        if self.unreturned > CONNECTION_WINDOW // 2:
            self.out.add(frames.window_update(0, self.unreturned))
            self.unreturned = 0

    def credit_stream(self, stream: Stream, size: int) -> None:
        """Give back to a stream what was heard."""
        stream.unreturned += size
        if stream.unreturned > STREAM_WINDOW // 2 and stream.state is _STREAM_OPEN:
            self.out.add(frames.window_update(stream.id, stream.unreturned))
            stream.unreturned = 0

    def moved(self, stream: Stream) -> None:
        """Go on with a stream whose peer has taken something."""
        if stream.state is StreamState.ANSWERED:
            if not stream.pieces:
                self.finish(stream)
        elif stream.unheard is not None and stream.queued <= STREAM_QUEUE_BYTES:
            messages, stream.unheard = stream.unheard, None
            self.capacity.unheard.give_back(sum(map(len, messages)))
            self.hear(stream, messages)
            self.credit_stream(stream, stream.withheld)
            stream.withheld = 0
            if stream.end_unheard:
                self.events.append(Ended(stream.id))

    def hear(self, stream: Stream, messages: list[bytes]) -> None:
        """Pass messages on."""
        if messages:
            stream.heard = True
            self.events += [Message(stream.id, message) for message in messages]

    def refuse(self, stream: Stream, status: Status, reason: str) -> None:
        """End a call because of what its peer sent."""
        self.events.append(Gone(stream.id))
        self.end(stream.id, status, reason)

    def finish(self, stream: Stream) -> None:
        """Forget a stream that was answered in full; a peer that still sends is told to stop."""
        if not stream.peer_ended:
            self.out.add(frames.reset(stream.id, ErrorCode.NO_ERROR))
        self.forget(stream)

    def reset(self, stream: Stream, code: ErrorCode) -> None:
        """End a stream at once."""
        self.out.add(frames.reset(stream.id, code))
        self.forget(stream)

    def forget(self, stream: Stream) -> None:
        """Hold nothing of a stream any more, and say so unless it was ended from here."""
        del self.streams[stream.id]
        if stream.pieces:
            self.out.forget(stream)
        self.capacity.streams.give_back(1)
        self._drop_received(stream)
        if stream.state is not _ANSWERED:
            self.events.append(Gone(stream.id))

    def _drop_received(self, stream: Stream) -> None:
        if stream.assembly is not None:
            self.capacity.assembly.give_back(stream.assembly.held)
        if stream.unheard is not None:
            self.capacity.unheard.give_back(sum(map(len, stream.unheard)))
        stream.assembly = stream.unheard = None

    def fail_stream(self, stream_id: int, error: Http2StreamError) -> None:
        """End a stream whose peer broke a rule. That may be as cheap for a peer as a reset of its
        own (CVE-2025-8671), so it counts as one.
        """
        self.count(SILENT_RESETS)
        self.last_id = max(self.last_id, stream_id)
        if (stream := self.streams.get(stream_id)) is not None:
            self.reset(stream, error.code)
        else:
            self.out.add(frames.reset(stream_id, error.code))

    def fail(self, error: Http2ConnectionError) -> None:
        """End it all, and say why."""
        self.failure = error
        self.abandon()
        self.out.add(frames.goaway(self.last_id, error.code, error.reason))

    def abandon(self) -> list[Event]:
        """Hold nothing any more: the connection is lost."""
        self.state = State.CLOSED
        self._rest = b""
        for stream in list(self.streams.values()):
            self.forget(stream)
        return self.events

    def _shed(self) -> None:
        """End the streams that have waited longest for a peer that does not take its answers."""
        waiting = sorted(self.out.blocked, key=lambda stream: stream.stalled_at)
        for stream in waiting[:-1]:
            if self.out.queued <= CONNECTION_QUEUE_BYTES:
                break
            self.reset(stream, ErrorCode.ENHANCE_YOUR_CALM)


def _unknown(state: State) -> Effect | None:
    return ignore if state is State.OPEN else None
