"""One stream: where it stands and what is on its way."""

from __future__ import annotations

import enum
from collections import deque

from epp.http2.assembly import Assembly


class StreamState(enum.IntEnum):
    """Of both directions together."""

    IDLE = enum.auto()
    OPEN = enum.auto()
    HEARD_OUT = enum.auto()  # the peer has ended its half
    ANSWERED = enum.auto()  # we have ended ours, and the peer has yet to make room for all of it
    CLOSED = enum.auto()


_OPEN = StreamState.OPEN  # faster than by the name of its class


class Stream:
    """What a connection remembers of an open stream."""

    __slots__ = (
        "answered",
        "assembly",
        "end_unheard",
        "ending",
        "heard",
        "id",
        "length",
        "peer_ended",
        "pieces",
        "queued",
        "stalled_at",
        "state",
        "unheard",
        "unreturned",
        "window_out",
        "withheld",
    )

    def __init__(self, stream_id: int, window_out: int, length: int | None = None) -> None:
        self.id = stream_id
        self.state = _OPEN
        self.window_out = window_out  # below zero where the peer has made it smaller
        self.length = length  # what is to come by the peer's own word
        # received
        self.assembly: Assembly | None = None
        self.heard = False  # at least one message was passed on
        self.unheard: list[bytes] | None = None  # they wait for the peer to take ours
        self.end_unheard = False
        self.withheld = 0  # credit for what is unheard
        self.unreturned = 0  # credit that the peer has not been told of
        self.peer_ended = False
        # to be sent
        self.answered = False  # headers are out
        self.pieces: deque[bytes | memoryview] | None = None
        self.queued = 0
        self.ending: bytes | None = None  # a frame that goes after the pieces
        self.stalled_at = 0.0

    def __repr__(self) -> str:
        return f"<Stream {self.id} {self.state.name}>"
