"""What a peer did, for whoever serves it."""

from __future__ import annotations

import msgspec


class Opened(msgspec.Struct, frozen=True, gc=False):
    """A call began."""

    stream_id: int
    path: str
    authority: str
    timeout_s: float | None


class Message(msgspec.Struct, frozen=True, gc=False):
    """A whole gRPC message came."""

    stream_id: int
    data: bytes


class Ended(msgspec.Struct, frozen=True, gc=False):
    """The peer sends no more on this stream, and waits for its end."""

    stream_id: int


class Gone(msgspec.Struct, frozen=True, gc=False):
    """A stream is over; nothing more can be sent on it."""

    stream_id: int


Event = Opened | Message | Ended | Gone
