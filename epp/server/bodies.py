"""The messages that carry bodies, on the level of the wire.

Of all messages these are the most: one for each chunk of an answer. Around a body there are a few
bytes of framing, so that neither reading nor writing one needs protobuf (which made 2.5 µs of the
7 µs of a chunk in full duplex, and copied a body three times). What is framed in any other way than
a `ProcessingRequest` that begins with the body is left to protobuf.
"""

from __future__ import annotations

from functools import lru_cache

from google.protobuf.message import DecodeError

from epp.exchange.actions import StreamRequestBody, StreamResponseBody
from epp.exchange.chunks import CHUNK_BYTES
from epp.exchange.events import RequestBody, RequestLastBody, ResponseBody, ResponseLastBody
from epp.server import surroundings
from epp.server.codec import Heard
from epp.server.fields import span

Body = RequestBody | RequestLastBody | ResponseBody | ResponseLastBody
Part = StreamRequestBody | StreamResponseBody

# A tag: the number of a field, and that its length follows.
_BODY = b"\x0a"  # HttpBody.body, StreamedBodyResponse.body
_END = b"\x10\x01"  # end_of_stream: true, of both
_NO_METADATA = b"B\x00"  # ProcessingRequest.metadata_context, with nothing in it
_RESPONSE = 0x2A  # ProcessingRequest.response_body
_EVENTS: dict[int, tuple[type[Body], type[Body]]] = {
    0x22: (RequestBody, RequestLastBody),
    _RESPONSE: (ResponseBody, ResponseLastBody),
}
# An end with nothing in it, as Envoy writes it after nearly every body.
_ENDS: dict[bytes, Body] = {
    b'"\x02\x10\x01B\x00': RequestLastBody(b""),
    b"*\x02\x10\x01B\x00": ResponseLastBody(b""),
}
_END_BYTES = 6
# ProcessingResponse: a body; its response, of which the body's mutation, of which a streamed part
_REQUEST_PART = (b"\x1a", b"\x0a", b"\x1a", b"\x1a")
_RESPONSE_PART = (b"\x22", b"\x0a", b"\x1a", b"\x1a")
_REMEMBERED = 4096  # lengths: those of chunks come again and again


def chunk(data: bytes) -> bytes | None:
    """Return the body of a message as Envoy writes nearly all: with a part of an answer of which
    more may come, that can be given back in one piece, and no metadata. None: it is another.
    """
    size = len(data) - len(_NO_METADATA)
    head = _chunk_head(size)
    if head and data.startswith(head) and data.endswith(_NO_METADATA):
        return data[len(head) : size]
    return None


def echo(data: bytes) -> bytes:
    """Return the `ProcessingResponse` that gives a chunk back."""
    return _echo_head(len(data)) + data


def read(data: bytes) -> Body | None:
    """Return the body that a `ProcessingRequest` carries; None if it says anything beside it, but
    for what Envoy says in every message: that it has no metadata.
    """
    if len(data) == _END_BYTES and (end := _ENDS.get(data)) is not None:
        return end
    kinds = _EVENTS.get(data[0]) if data else None
    if kinds is None:
        return None
    size = len(data) - len(_NO_METADATA) if data.endswith(_NO_METADATA) else len(data)
    open_head, last_head = _heads(data[0], size)
    if open_head and data.startswith(open_head):
        return kinds[0](data[len(open_head) : size])
    if last_head and data.startswith(last_head) and data.startswith(_END, size - len(_END)):
        return kinds[1](data[len(last_head) : size - len(_END)])
    return None


def hear(data: bytes) -> Heard | None:
    """Return a body and what is said beside it; None if protobuf must read it."""
    kinds = _EVENTS.get(data[0]) if data else None
    if kinds is None:
        return None
    try:
        start, end = span(data, 0)
        first, last = span(data, start) if data[start : start + 1] == _BODY else (start, start)
        end_of_stream = data[last:end]
        if end > len(data) or last > end or end_of_stream not in (b"", _END):
            return None
        beside = surroundings.read(data[end:])
    except (IndexError, DecodeError):
        return None
    if beside is None:
        return None
    return Heard(kinds[1 if end_of_stream else 0](data[first:last]), beside)


def write(part: Part) -> bytes:
    """Return the `ProcessingResponse` that gives a part back, without metadata."""
    data = part.data
    fields = _RESPONSE_PART if type(part) is StreamResponseBody else _REQUEST_PART
    if part.end_of_stream:
        return b"".join((_part_head(fields, len(data), len(_END)), data, _END))
    return _part_head(fields, len(data), 0) + data


@lru_cache(_REMEMBERED)
def _chunk_head(size: int) -> bytes:
    """Return what such a message of so many bytes begins with; empty: none is so long."""
    return _heads(_RESPONSE, size)[0] if size <= CHUNK_BYTES else b""


@lru_cache(_REMEMBERED)
def _echo_head(length: int) -> bytes:
    return _part_head(_RESPONSE_PART, length, 0)


@lru_cache(_REMEMBERED)
def _heads(tag: int, size: int) -> tuple[bytes, bytes]:
    """Return what a message of so many bytes begins with, as it is written: one whose body may go
    on, and a last one. Empty: none is so long.
    """
    inner = _within(size - 1)
    if inner is None:
        return b"", b""
    outer = bytes((tag,)) + _varint(inner)
    return tuple(_head(outer, inner - after) for after in (0, len(_END)))  # type: ignore[return-value]


def _head(outer: bytes, size: int) -> bytes:
    """Return `outer` and the start of a body that takes `size` bytes with its framing."""
    if size == 0:
        return outer  # an empty body is left out
    length = _within(size - 1)
    return outer + _BODY + _varint(length) if length else b""


@lru_cache(_REMEMBERED)
def _part_head(fields: tuple[bytes, ...], length: int, after: int) -> bytes:
    """Return what comes before a body of so many bytes, with so many after it."""
    head = _BODY + _varint(length) if length else b""
    for field in reversed(fields):
        head = field + _varint(len(head) + length + after) + head
    return head


def _within(size: int) -> int | None:
    """Return how many bytes a field has that takes `size` with its own length before them."""
    for digits in range(1, 6):
        length = size - digits
        if length >= 0 and len(_varint(length)) == digits:
            return length
    return None


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)
