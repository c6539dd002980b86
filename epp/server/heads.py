"""The messages that carry headers, on the level of the wire.

Most headers of a request are those of the one before it, byte for byte: what a field says is
remembered by its bytes, and so is what surrounds the headers (modes, metadata), which a proxy says
of each stream alike. Reading them so takes a third of what protobuf objects take. What is framed in
any other way than `HttpHeaders` first, or does not fit, is left to protobuf.
"""

from __future__ import annotations

from sys import intern

from google.protobuf.message import DecodeError

from epp._pb.envoy.config.core.v3 import base_pb2 as core
from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.exchange.events import (
    HeaderOnlyRequest,
    HeaderOnlyResponse,
    RequestHeaders,
    ResponseHeaders,
)
from epp.server.codec import Around, Heard, around

Kind = type[RequestHeaders | HeaderOnlyRequest | ResponseHeaders | HeaderOnlyResponse]

# A tag: the number of a field, and that its length follows.
_FIELD = 0x0A  # HeaderMap.headers, HttpHeaders.headers, HeaderValue.key
_RAW = 0x1A  # HeaderValue.raw_value
_END = b"\x18\x01"  # HttpHeaders.end_of_stream: true
_EVENTS: dict[int, tuple[Kind, Kind]] = {
    0x12: (RequestHeaders, HeaderOnlyRequest),
    0x1A: (ResponseHeaders, HeaderOnlyResponse),
}
_LONG = 0x80  # a length from here on takes more than one byte
_MAX_SHIFT = 28

# Fields of at most 130 bytes, a quarter of a MiB. Those that no request repeats go through as well.
_REMEMBERED = 512
_SURROUNDINGS = 128
_SURROUNDING_BYTES = 1024

Pair = tuple[str, str]


def read(data: bytes) -> Heard | None:
    """Return what a `ProcessingRequest` with headers says; None if protobuf must read it."""
    kinds = _EVENTS.get(data[0]) if data else None
    if kinds is None:
        return None
    try:
        start, end = _span(data, 0)
        if data[start] != _FIELD:
            return None
        first, last = _span(data, start)
        end_of_stream = data[last:end]
        if end > len(data) or last > end or end_of_stream not in (b"", _END):
            return None
        headers = _FIELDS.read(data, first, last)
        beside = _beside(data[end:])
    except (IndexError, DecodeError):
        return None
    if headers is None or beside is None:
        return None
    return Heard(kinds[1 if end_of_stream else 0](headers), beside)


def _span(data: bytes, pos: int) -> tuple[int, int]:
    """Return where a field's content begins and ends whose tag is at `pos`."""
    size = data[pos + 1]
    start = pos + 2
    if size < _LONG:
        return start, start + size
    size &= 0x7F
    for shift in range(7, _MAX_SHIFT + 1, 7):
        octet = data[start]
        start += 1
        size |= (octet & 0x7F) << shift
        if octet < _LONG:
            return start, start + size
    raise DecodeError("a length that does not end")


class Fields:
    """Reads fields, and knows again those that came lately."""

    def __init__(self, limit: int = _REMEMBERED) -> None:
        self._limit = limit
        self._young: dict[bytes, Pair] = {}
        self._old: dict[bytes, Pair] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def read(self, data: bytes, pos: int, end: int) -> dict[str, str] | None:
        """Return the headers that stand there, names in lower case; None if that is no map."""
        found: dict[str, str] = {}
        known = self._young
        while pos < end:
            size = data[pos + 1]
            if size < _LONG:
                start, pos = pos, pos + 2 + size
                field = data[start:pos]
                pair = known.get(field) or self._learn(field)
            else:
                start, stop = _span(data, pos)
                pair, pos = _pair(data[pos], data[start:stop]), stop
            if pair is None:
                return None
            found[pair[0]] = pair[1]
        return found if pos == end else None

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
    if content[:1] == b"\x0a" and (at := 2 + content[1]) + 2 <= len(content) and content[1] < _LONG:
        size = content[at + 1]
        if content[at] == _RAW and size < _LONG and size == len(content) - at - 2:
            name = content[2:at]
            if name.isascii():
                return intern(name.decode().lower()), content[at + 2 :].decode("utf-8", "replace")
    header = core.HeaderValue.FromString(content)
    return header.key.lower(), header.raw_value.decode("utf-8", "replace") or header.value


_FIELDS = Fields()


def _beside(data: bytes) -> Around | None:
    """Read what stands beside the headers: a message too, but for them."""
    known = _AROUND.get(data)
    if known is not None:
        return known
    message = pb.ProcessingRequest.FromString(data)
    if message.WhichOneof("request") is not None:
        return None
    found = around(message)
    if len(data) <= _SURROUNDING_BYTES:
        if len(_AROUND) >= _SURROUNDINGS:
            _AROUND.clear()
        _AROUND[data] = found
    return found


_AROUND: dict[bytes, Around] = {}
