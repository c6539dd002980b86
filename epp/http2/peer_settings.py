"""What the peer has told about itself, and what it is told about us."""

from __future__ import annotations

from struct import Struct

from epp.http2 import frames
from epp.http2.errors import ErrorCode, Http2ConnectionError
from epp.http2.frames import FrameType
from epp.http2.guards import MAX_HEADER_LIST_BYTES, STREAM_WINDOW

HEADER_TABLE_SIZE = 0x1
ENABLE_PUSH = 0x2
MAX_CONCURRENT_STREAMS = 0x3
INITIAL_WINDOW_SIZE = 0x4
MAX_FRAME_SIZE = 0x5
MAX_HEADER_LIST_SIZE = 0x6

_MAX_SIZE_OF_FRAME = 2**24 - 1
_SETTING = Struct(">HL")


class PeerSettings:
    """The two settings of a peer that its answers depend on."""

    __slots__ = ("initial_window", "max_frame_bytes")

    def __init__(self) -> None:
        self.initial_window = 65_535
        self.max_frame_bytes = frames.MAX_FRAME_BYTES

    def read(self, payload: bytes) -> None:
        """Take over what a SETTINGS frame says; Http2ConnectionError if it cannot be."""
        if len(payload) % _SETTING.size:
            raise Http2ConnectionError(ErrorCode.FRAME_SIZE_ERROR, "half a setting")
        for key, value in _SETTING.iter_unpack(payload):
            if key == INITIAL_WINDOW_SIZE:
                if value > frames.MAX_WINDOW:
                    raise Http2ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, "too large a window")
                self.initial_window = value
            elif key == MAX_FRAME_SIZE:
                if not frames.MAX_FRAME_BYTES <= value <= _MAX_SIZE_OF_FRAME:
                    raise Http2ConnectionError(ErrorCode.PROTOCOL_ERROR, "no frame size")
                self.max_frame_bytes = value
            elif key == ENABLE_PUSH and value > 1:
                raise Http2ConnectionError(ErrorCode.PROTOCOL_ERROR, "neither push nor no push")


def own(max_concurrent_streams: int) -> bytes:
    """Return our SETTINGS; no limit on streams is told where it is 0."""
    settings = [
        (HEADER_TABLE_SIZE, 0),
        (INITIAL_WINDOW_SIZE, STREAM_WINDOW),
        (MAX_HEADER_LIST_SIZE, MAX_HEADER_LIST_BYTES),
    ]
    if max_concurrent_streams:
        settings.append((MAX_CONCURRENT_STREAMS, max_concurrent_streams))
    payload = b"".join(_SETTING.pack(*setting) for setting in settings)
    return frames.frame(FrameType.SETTINGS, 0, 0, payload)
