"""A peer that is written byte by byte, and what a server says to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from struct import pack
from typing import NamedTuple

from epp.http2 import frames, hpack
from epp.http2.connection import Connection
from epp.http2.errors import ErrorCode
from epp.http2.events import Event
from epp.http2.frames import FrameType
from epp.http2.guards import Capacity

CALL = (
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":path", b"/service/Method"),
    (b":authority", b"picker"),
    (b"te", b"trailers"),
    (b"content-type", b"application/grpc"),
)
BLOCK = hpack.encode(*CALL)
LIMIT = 1_000_000  # of a message


def frame(kind: int, flags: int = 0, stream_id: int = 0, payload: bytes = b"") -> bytes:
    return pack(">LBL", len(payload) << 8 | kind, flags, stream_id) + payload


def settings(*pairs: tuple[int, int]) -> bytes:
    return frame(FrameType.SETTINGS, payload=b"".join(pack(">HL", *pair) for pair in pairs))


SETTLED = frame(FrameType.SETTINGS, frames.ACK)
HELLO = frames.PREFACE + settings() + SETTLED


def call(stream_id: int, *extra: tuple[bytes, bytes], end: bool = False) -> bytes:
    """Open a stream."""
    flags = frames.END_HEADERS | (frames.END_STREAM if end else 0)
    return frame(FrameType.HEADERS, flags, stream_id, hpack.encode(*CALL, *extra))


def framed(message: bytes) -> bytes:
    """Return a gRPC message as a stream has it."""
    return pack(">BL", 0, len(message)) + message


def data(stream_id: int, payload: bytes, *, end: bool = False, padding: int | None = None) -> bytes:
    flags = frames.END_STREAM if end else 0
    if padding is not None:
        flags |= frames.PADDED
        payload = bytes((padding,)) + payload + bytes(padding)
    return frame(FrameType.DATA, flags, stream_id, payload)


def say(stream_id: int, message: bytes, *, end: bool = False) -> bytes:
    """Send a whole message in one frame."""
    return data(stream_id, framed(message), end=end)


def reset(stream_id: int, code: int = 2) -> bytes:
    return frame(FrameType.RST_STREAM, 0, stream_id, pack(">L", code))


def credit(stream_id: int, amount: int) -> bytes:
    return frame(FrameType.WINDOW_UPDATE, 0, stream_id, pack(">L", amount))


class Said(NamedTuple):
    """A frame of the server's."""

    kind: FrameType
    flags: int
    stream_id: int
    payload: bytes

    @property
    def code(self) -> int:
        """Of RST_STREAM and GOAWAY."""
        return int.from_bytes(self.payload[-4:] if self.kind == 3 else self.payload[4:8], "big")


def split(taken: bytes) -> Iterator[Said]:
    while taken:
        word, flags, stream_id = frames.HEADER.unpack_from(taken)
        end = 9 + (word >> 8)
        yield Said(FrameType(word & 0xFF), flags, stream_id, taken[9:end])
        taken = taken[end:]


class Server:
    """A connection with a clock that is set, and all that it has said."""

    def __init__(
        self, capacity: Capacity | None = None, *, max_concurrent_streams: int = 0
    ) -> None:
        self.now = 100.0
        self.capacity = capacity or Capacity()
        self.core = Connection(
            self.now,
            self.capacity,
            max_message_bytes=LIMIT,
            max_concurrent_streams=max_concurrent_streams,
        )
        self.said: list[Said] = []

    def hear(self, *parts: bytes) -> list[Event]:
        """Take what the peer says, each part by itself."""
        events: list[Event] = []
        for part in parts:
            events += self.core.receive(part, self.now)
            self.listen()
        return events

    def listen(self) -> list[Said]:
        """Return what has been said since it was last asked."""
        new = list(split(self.core.take()))
        self.said += new
        return new

    def tick(self, seconds: float) -> list[Event]:
        self.now += seconds
        events = self.core.tick(self.now)
        self.listen()
        return events

    def of(self, kind: FrameType, stream_id: int | None = None) -> list[Said]:
        return [s for s in self.said if s.kind == kind and stream_id in {None, s.stream_id}]

    @property
    def goaway(self) -> tuple[str, str]:
        """Why the connection ended: the code's name and the reason."""
        last = self.of(FrameType.GOAWAY)[-1]
        return frames_code(last.code), last.payload[8:].decode()


def frames_code(code: int) -> str:
    return ErrorCode(code).name


def settled(**options: int) -> Server:
    """Return a server whose peer has begun well."""
    server = Server(max_concurrent_streams=options.get("max_concurrent_streams", 0))
    server.hear(HELLO)
    server.said.clear()
    return server


def messages(said: Iterable[Said], stream_id: int) -> list[bytes]:
    """Return the gRPC messages that a stream was sent."""
    whole = b"".join(s.payload for s in said if s.kind == 0 and s.stream_id == stream_id)
    found = []
    while whole:
        size = int.from_bytes(whole[1:5], "big")
        found.append(whole[5 : 5 + size])
        whole = whole[5 + size :]
    return found


def trailers(said: Iterable[Said], stream_id: int) -> dict[str, str]:
    """Return the last headers that a stream was sent."""
    last = [s for s in said if s.kind == FrameType.HEADERS and s.stream_id == stream_id][-1]
    assert last.flags & frames.END_STREAM
    return dict(hpack.Decoder().decode(last.payload) or ())
