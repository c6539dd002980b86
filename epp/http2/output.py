"""What is to be sent, as far as the peer's windows let it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from epp.http2.assembly import MESSAGE, PREFIX, PREFIX_BYTES
from epp.http2.frames import END_HEADERS, END_STREAM, HEADER, MAX_WINDOW, FrameType, frame
from epp.http2.peer_settings import PeerSettings
from epp.http2.status import ANSWER
from epp.http2.stream import Stream

_ANSWER_WORD = len(ANSWER) << 8 | FrameType.HEADERS


class Output:
    """Frames that can leave now, and streams that wait for their peer."""

    def __init__(self, peer: PeerSettings) -> None:
        self._frames: list[bytes | memoryview] = []
        self._peer = peer
        self._blocked: dict[int, Stream] = {}
        self.window = 65_535
        self.queued = 0  # bytes, of all streams
        self.now = 0.0

    @property
    def blocked(self) -> list[Stream]:
        """The streams that wait for their peer."""
        return list(self._blocked.values())

    def take(self) -> bytes:
        """Return all that can leave, which has then left."""
        if not self._frames:
            return b""
        taken = b"".join(self._frames)
        self._frames.clear()
        return taken

    def add(self, whole_frame: bytes) -> None:
        """Send a frame that needs no window."""
        self._frames.append(whole_frame)

    def messages(self, stream: Stream, messages: Sequence[bytes]) -> None:
        """Send messages, their answer's headers before the first."""
        if not messages:
            return
        out, stream_id = self._frames, stream.id
        if not stream.answered:
            stream.answered = True
            out += (HEADER.pack(_ANSWER_WORD, END_HEADERS, stream_id), ANSWER)
        largest = self._peer.max_frame_bytes
        for data in messages:
            length = len(data)
            size = length + PREFIX_BYTES
            if size > largest or size > self.window or size > stream.window_out or stream.pieces:
                self._in_pieces(stream, data)
            else:
                self.window -= size
                stream.window_out -= size
                out += (MESSAGE.pack(size << 8, 0, stream_id, 0, length), data)

    def _in_pieces(self, stream: Stream, data: bytes) -> None:
        """Send as much of a message as the windows let through, and keep the rest."""
        room = 0 if stream.pieces else self._room(stream)
        if room > PREFIX_BYTES:
            self._spend(stream, room)
            rest = memoryview(data)
            begun = room - PREFIX_BYTES
            self._frames += (MESSAGE.pack(room << 8, 0, stream.id, 0, len(data)), rest[:begun])
            self._queue(stream, rest[begun:])
        else:
            self._queue(stream, PREFIX.pack(0, len(data)), data)

    def end(self, stream: Stream, block: bytes) -> bool:
        """Send the end of an answer, after all of it; whether it is out."""
        stream.answered = True
        ending = frame(FrameType.HEADERS, END_HEADERS | END_STREAM, stream.id, block)
        if stream.pieces:
            stream.ending = ending
            return False
        self._frames.append(ending)
        return True

    def widen(self, credit: int) -> bool:
        """Take leave for the whole connection; False if it is more than can be."""
        self.window += credit
        return self.window <= MAX_WINDOW

    def pump(self) -> list[Stream]:
        """Send what the windows now let through, a frame of each stream in turn.

        Return the streams that moved on.
        """
        moved: dict[int, Stream] = {}
        turn = deque(self._blocked.values())
        while turn and self.window > 0:
            stream = turn.popleft()
            if self._send_piece(stream):
                moved[stream.id] = stream
                if stream.pieces:
                    turn.append(stream)
        return list(moved.values())

    def pump_one(self, stream: Stream) -> None:
        """Send what the windows let through of one stream."""
        while stream.pieces and self._send_piece(stream):
            pass

    def forget(self, stream: Stream) -> None:
        """Drop what has not left."""
        if stream.pieces:
            self.queued -= stream.queued
            del self._blocked[stream.id]
        stream.pieces, stream.queued, stream.ending = None, 0, None

    def _room(self, stream: Stream) -> int:
        return min(self.window, stream.window_out, self._peer.max_frame_bytes)

    def _spend(self, stream: Stream, size: int) -> None:
        self.window -= size
        stream.window_out -= size

    def _queue(self, stream: Stream, *pieces: bytes | memoryview) -> None:
        if stream.pieces is None:
            stream.pieces = deque()
        size = sum(map(len, pieces))
        if not stream.pieces:
            stream.stalled_at = self.now
        stream.pieces += pieces
        stream.queued += size
        self.queued += size
        self._blocked[stream.id] = stream
        self.pump_one(stream)

    def _send_piece(self, stream: Stream) -> bool:
        room = self._room(stream)
        if room <= 0 or not stream.pieces:
            return False
        piece = stream.pieces.popleft()
        if len(piece) > room:
            rest = memoryview(piece)
            piece = rest[:room]
            stream.pieces.appendleft(rest[room:])
        size = len(piece)
        self._spend(stream, size)
        stream.queued -= size
        self.queued -= size
        stream.stalled_at = self.now
        self._frames += (HEADER.pack(size << 8, 0, stream.id), piece)
        if not stream.pieces:
            self._drained(stream)
        return True

    def _drained(self, stream: Stream) -> None:
        stream.pieces = None
        del self._blocked[stream.id]
        if stream.ending is not None:
            self._frames.append(stream.ending)
