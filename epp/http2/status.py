"""How gRPC calls end."""

from __future__ import annotations

import enum
from urllib.parse import quote

from epp.http2 import hpack

_PRINTABLE = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


class Status(enum.IntEnum):
    """gRPC's codes, those that a server here has a use for."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    RESOURCE_EXHAUSTED = 8
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14


class CallError(Exception):
    """A call ends because of what its peer sent, with a status that says why."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


_CONTENT_TYPE = (b"content-type", b"application/grpc")

# What begins an answer with messages.
ANSWER = hpack.ok(_CONTENT_TYPE, (b"grpc-accept-encoding", b"identity"))


def trailers(status: Status, reason: str = "") -> bytes:
    """Return what ends an answer that has begun."""
    return hpack.encode(*_fields(status, reason))


def trailers_only(status: Status, reason: str = "") -> bytes:
    """Return an answer that is nothing but its end."""
    accepted = [(b"grpc-accept-encoding", b"identity")] if status is Status.UNIMPLEMENTED else []
    return hpack.ok(_CONTENT_TYPE, *accepted, *_fields(status, reason))


def http_answer(status: int) -> bytes:
    """Return an answer to a request that is no gRPC call."""
    return hpack.encode((b":status", b"%d" % status))


def _fields(status: Status, reason: str) -> list[tuple[bytes, bytes]]:
    code = (b"grpc-status", b"%d" % status)
    if not reason:
        return [code]
    return [code, (b"grpc-message", quote(reason, safe=_PRINTABLE).encode())]
