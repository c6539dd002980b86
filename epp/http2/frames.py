"""Frames as bytes: their header, their types and flags, and those that are always the same."""

from __future__ import annotations

import enum
from struct import Struct

import msgspec

from epp.http2.errors import ErrorCode, Http2ConnectionError

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADER_BYTES = 9

# The protocol's own default. Larger ones would save frames of large bodies, but what has come of a
# frame is copied once for each read until it is whole.
MAX_FRAME_BYTES = 16_384

MAX_WINDOW = 2**31 - 1
MAX_STREAM_ID = 2**31 - 1


class FrameType(enum.IntEnum):
    """All that the protocol knows; others are ignored."""

    DATA = 0x0
    HEADERS = 0x1
    PRIORITY = 0x2
    RST_STREAM = 0x3
    SETTINGS = 0x4
    PUSH_PROMISE = 0x5
    PING = 0x6
    GOAWAY = 0x7
    WINDOW_UPDATE = 0x8
    CONTINUATION = 0x9


END_STREAM = 0x1
ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
HAS_PRIORITY = 0x20


class Frame(msgspec.Struct, frozen=True, gc=False):
    """A frame in place: its payload is in `data` from `pos` to `end`."""

    flags: int
    stream_id: int
    data: bytes
    pos: int
    end: int

    @property
    def size(self) -> int:
        """The payload's bytes."""
        return self.end - self.pos

    def payload(self) -> bytes:
        """Copy it out."""
        return self.data[self.pos : self.end]


# length and type share the first four bytes
HEADER = Struct(">LBL")
_NUMBER = Struct(">L")
_TWO_NUMBERS = Struct(">LL")
_HEADER_AND_NUMBER = Struct(">LBLL")


def frame(kind: FrameType, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    """Return a frame; `payload` is not too long for one."""
    return HEADER.pack(len(payload) << 8 | kind, flags, stream_id) + payload


def reset(stream_id: int, code: int) -> bytes:
    """Return the end of a stream that did not end well."""
    return _HEADER_AND_NUMBER.pack(4 << 8 | FrameType.RST_STREAM, 0, stream_id, code)


def window_update(stream_id: int, credit: int) -> bytes:
    """Return leave to send `credit` bytes more; stream 0 is the connection."""
    return _HEADER_AND_NUMBER.pack(4 << 8 | FrameType.WINDOW_UPDATE, 0, stream_id, credit)


def goaway(last_stream_id: int, code: int, reason: str = "") -> bytes:
    """Return the announcement that no stream above `last_stream_id` is, or will be, served."""
    payload = _TWO_NUMBERS.pack(last_stream_id, code) + reason.encode()
    return frame(FrameType.GOAWAY, 0, 0, payload)


def number(data: bytes, pos: int) -> int:
    """Read four bytes."""
    value: int = _NUMBER.unpack_from(data, pos)[0]
    return value


def unpadded(frame: Frame) -> tuple[int, int]:
    """Return where the content of a frame begins and ends that may be padded."""
    if not frame.flags & PADDED:
        return frame.pos, frame.end
    if not frame.size:
        raise Http2ConnectionError(ErrorCode.FRAME_SIZE_ERROR, "a padded frame without a length")
    padding = frame.data[frame.pos]
    if padding > frame.size - 1:
        raise Http2ConnectionError(ErrorCode.PROTOCOL_ERROR, "padding beyond the frame's end")
    return frame.pos + 1, frame.end - padding
