"""What can go wrong on a connection, and how peers say it (RFC 9113, section 7)."""

from __future__ import annotations

import enum


class ErrorCode(enum.IntEnum):
    """Why a stream or a connection ended."""

    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    INTERNAL_ERROR = 0x2
    FLOW_CONTROL_ERROR = 0x3
    SETTINGS_TIMEOUT = 0x4
    STREAM_CLOSED = 0x5
    FRAME_SIZE_ERROR = 0x6
    REFUSED_STREAM = 0x7
    CANCEL = 0x8
    COMPRESSION_ERROR = 0x9
    CONNECT_ERROR = 0xA
    ENHANCE_YOUR_CALM = 0xB
    INADEQUATE_SECURITY = 0xC
    HTTP_1_1_REQUIRED = 0xD


class Http2Error(Exception):
    """Base of this package's errors."""

    def __init__(self, code: ErrorCode, reason: str) -> None:
        super().__init__(f"{reason} ({code.name})")
        self.code = code
        self.reason = reason


class Http2ConnectionError(Http2Error):
    """The peer broke a rule that the whole connection rests on, or went too far."""


class Http2StreamError(Http2Error):
    """The peer broke a rule of one stream; the others go on."""
