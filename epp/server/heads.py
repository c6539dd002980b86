"""The messages that carry headers, on the level of the wire.

Most headers of a request are those of the one before it, byte for byte: what a field says is
remembered by its bytes. Reading them so takes half of what protobuf objects take. What is framed in
any other way than `HttpHeaders` first, or does not fit, is left to protobuf.
"""

from __future__ import annotations

from sys import intern

from google.protobuf.message import DecodeError

from epp._pb.envoy.config.core.v3 import base_pb2 as core
from epp.exchange.events import (
    HeaderOnlyRequest,
    HeaderOnlyResponse,
    RequestHeaders,
    ResponseHeaders,
)
from epp.server import surroundings
from epp.server.codec import Heard
from epp.server.fields import LONG, span

Kind = type[RequestHeaders | HeaderOnlyRequest | ResponseHeaders | HeaderOnlyResponse]

# A tag: the number of a field, and that its length follows.
_FIELD = 0x0A  # HeaderMap.headers, HttpHeaders.headers, HeaderValue.key
_RAW = 0x1A  # HeaderValue.raw_value
_END = b"\x18\x01"  # HttpHeaders.end_of_stream: true
_EVENTS: dict[int, tuple[Kind, Kind]] = {
    0x12: (RequestHeaders, HeaderOnlyRequest),
    0x1A: (ResponseHeaders, HeaderOnlyResponse),
}
# Fields of at most 130 bytes, a quarter of a MiB. Those that no request repeats go through as well.
_REMEMBERED = 512
_REMEMBERED_BYTES = 4096  # of what all begin with

Pair = tuple[str, str]


def read(data: bytes) -> Heard | None:
    """Return what a `ProcessingRequest` with headers says; None if protobuf must read it."""
    kinds = _EVENTS.get(data[0]) if data else None
    if kinds is None:
        return None
    try:
        start, end = span(data, 0)
        if data[start] != _FIELD:
            return None
        first, last = span(data, start)
        end_of_stream = data[last:end]
        if end > len(data) or last > end or end_of_stream not in (b"", _END):
            return None
        headers = _FIELDS[data[0]].read(data, first, last)
        beside = surroundings.read(data[end:])
    except (IndexError, DecodeError):
        return None
    if headers is None or beside is None:
        return None
    return Heard(kinds[1 if end_of_stream else 0](headers), beside)


class Fields:
    """Reads fields, and knows again those that came lately, and with which of them all began."""

    def __init__(self, limit: int = _REMEMBERED) -> None:
        self._limit = limit
        self._young: dict[bytes, Pair] = {}
        self._old: dict[bytes, Pair] = {}
        self._beginning = b""  # up to the field that was new
        self._begun: dict[str, str] = {}  # what it says

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def read(self, data: bytes, pos: int, end: int) -> dict[str, str] | None:
        """Return the headers that stand there, names in lower case; None if that is no map."""
        first, found = pos, {}
        if data.startswith(self._beginning, pos, end):
            pos += len(self._beginning)
            found = self._begun.copy()
        known = self._young
        while pos < end:
            size = data[pos + 1]
            if size < LONG:
                start, pos = pos, pos + 2 + size
                field = data[start:pos]
                pair = known.get(field)
                if pair is None:
                    self._begin(data[first:start], found)
                    pair = self._learn(field)
            else:
                start, stop = span(data, pos)
                pair, pos = _pair(data[pos], data[start:stop]), stop
            if pair is None:
                return None
            found[pair[0]] = pair[1]
        return found if pos == end else None

    def _begin(self, beginning: bytes, found: dict[str, str]) -> None:
        if len(beginning) <= _REMEMBERED_BYTES and beginning != self._beginning:
            self._beginning, self._begun = beginning, found.copy()

    def _learn(self, field: bytes) -> Pair | None:
        pair = self._old.get(field) or _pair(field[0], field[2:])
        if pair is None:
            return None
        if len(self._young) >= self._limit:
            self._old = dict(self._young)
            self._young.clear()
        self._young[field] = pair
        return pair


def _pair(tag: int, content: bytes) -> Pair | None:
    """Return the name and the value of a `HeaderValue`."""
    if tag != _FIELD:
        return None
    if content[:1] == b"\x0a" and (at := 2 + content[1]) + 2 <= len(content) and content[1] < LONG:
        size = content[at + 1]
        if content[at] == _RAW and size < LONG and size == len(content) - at - 2:
            name = content[2:at]
            if name.isascii():
                return intern(name.decode().lower()), content[at + 2 :].decode("utf-8", "replace")
    header = core.HeaderValue.FromString(content)
    return header.key.lower(), header.raw_value.decode("utf-8", "replace") or header.value


_FIELDS = {tag: Fields() for tag in _EVENTS}
