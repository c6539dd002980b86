"""What opens a stream: its header fields, checked, and what of them matters."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from epp.http2.errors import ErrorCode, Http2StreamError
from epp.http2.hpack import Decoder, Field

# The same caller sends the same block again and again, unless it traces. Blocks are small: at most
# a quarter of a MiB of them is kept for a connection.
_KNOWN_BLOCKS = 128
_KNOWN_BLOCK_BYTES = 2048

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+")
_FORBIDDEN_IN_VALUES = re.compile(r"[\0\r\n]|^[ \t]|[ \t]$")
_PSEUDO = {":method", ":scheme", ":path", ":authority"}
_REQUIRED = {":method", ":scheme", ":path"}
_OF_HTTP_1 = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}

_TIMEOUT = re.compile(r"(\d{1,8})([HMSmun])")
_UNITS_S = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}


class Head(msgspec.Struct, frozen=True):
    """The request of a stream. Which gRPC method it calls is its `path`."""

    method: str
    path: str
    authority: str = ""
    content_type: str = ""
    encoding: str = "identity"
    timeout_s: float | None = None
    length: int | None = None  # of the body, if the peer said it


class HeadReader:
    """Reads blocks, and remembers those whose meaning cannot change."""

    def __init__(self) -> None:
        self.decoder = Decoder()
        self._known: dict[bytes, Head] = {}

    def read(self, block: bytes) -> Head | None:
        """Return what the block asks for; None if it is too long.

        Http2StreamError if it is not a request as the protocol wants it.
        """
        if (known := self._known.get(block)) is not None:
            return known
        fields = self.decoder.decode(block)
        if fields is None:
            return None
        found = head(fields)
        if self.decoder.independent and len(block) <= _KNOWN_BLOCK_BYTES:
            if len(self._known) >= _KNOWN_BLOCKS:
                self._known.clear()
            self._known[block] = found
        return found


def head(fields: Iterable[Field]) -> Head:
    """Check the fields of a request; Http2StreamError names what is wrong."""
    values: dict[str, str] = {}
    regular = False
    for name, value in fields:
        if name.startswith(":"):
            _check_pseudo(name, values, after_regular=regular)
        else:
            regular = True
            check_field(name, value)
        values[name] = value
    if missing := [name for name in _REQUIRED if not values.get(name)]:
        raise _malformed(f"no {missing[0]}")
    return Head(
        values[":method"],
        values[":path"],
        values.get(":authority") or values.get("host", ""),
        values.get("content-type", ""),
        values.get("grpc-encoding", "identity"),
        _timeout(values.get("grpc-timeout")),
        _length(values.get("content-length")),
    )


def check_field(name: str, value: str) -> None:
    """Check a field that is not a pseudo-header; Http2StreamError names what is wrong."""
    if not _NAME.fullmatch(name) or name in _OF_HTTP_1:
        raise _malformed("a name that may not be there")
    if _FORBIDDEN_IN_VALUES.search(value) or (name == "te" and value != "trailers"):
        raise _malformed(f"a value that may not be there, of {name}")


def _check_pseudo(name: str, seen: dict[str, str], *, after_regular: bool) -> None:
    if after_regular or name in seen or name not in _PSEUDO:
        raise _malformed("a pseudo-header that may not be there")


def _timeout(text: str | None) -> float | None:
    if text is None:
        return None
    match = _TIMEOUT.fullmatch(text)
    if match is None:
        raise _malformed("a grpc-timeout that is none")
    return int(match[1]) * _UNITS_S[match[2]]


def _length(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise _malformed("a content-length that is none")
    return int(text)


def _malformed(reason: str) -> Http2StreamError:
    return Http2StreamError(ErrorCode.PROTOCOL_ERROR, reason)
