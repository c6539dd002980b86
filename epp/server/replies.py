"""Replies as bytes, for a transport that needs no messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from epp.exchange.actions import (
    ReplyRequestBody,
    ReplyRequestHeaders,
    ReplyResponseBody,
    ReplyResponseHeaders,
    RequestReply,
    ResponseReply,
    StreamRequestBody,
    StreamResponseBody,
)
from epp.server import bodies, codec

Reply = RequestReply | ResponseReply


def serialized(action: Reply) -> bytes:
    """Return the message that performs `action`."""
    return _WRITERS.get(type(action), _message)(action)


def acknowledge(_: bytes) -> bytes:
    """Return the reply to a chunk that is left as it is."""
    return _ACKNOWLEDGED


def _message(action: Reply) -> bytes:
    return codec.reply(action).SerializeToString()


def _response_part(action: StreamResponseBody) -> bytes:
    return _message(action) if action.metadata else bodies.write(action)


def _acknowledgement(action: ReplyResponseBody) -> bytes:
    return _message(action) if action.metadata or action.body is not None else _ACKNOWLEDGED


def _response_headers(action: ReplyResponseHeaders) -> bytes:
    return _message(action) if action.metadata or action.mutation is not None else _PASSED


def _request_body(action: ReplyRequestBody) -> bytes:
    return _message(action) if action.body is not None else _REMEMBERED.bytes_of(action)


class Remembered:
    """Replies to requests, which are few: one for each destination and model.

    Making one anew takes 12 µs more.
    """

    def __init__(self, limit: int = 1024) -> None:
        self._limit = limit
        self._known: dict[tuple[type, bytes], bytes] = {}
        self._encode = msgspec.msgpack.Encoder().encode

    def __len__(self) -> int:
        return len(self._known)

    def bytes_of(self, action: ReplyRequestHeaders | ReplyRequestBody) -> bytes:
        """Return the reply that performs `action`; all that it says is the key to it."""
        key = type(action), self._encode(action)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= self._limit:
                self._known.clear()
            known = self._known[key] = _message(action)
        return known


_ACKNOWLEDGED = _message(ReplyResponseBody())
_PASSED = _message(ReplyResponseHeaders())
_REMEMBERED = Remembered()

_WRITERS: Mapping[type, Callable[[Any], bytes]] = {
    StreamRequestBody: bodies.write,
    StreamResponseBody: _response_part,
    ReplyRequestHeaders: _REMEMBERED.bytes_of,
    ReplyRequestBody: _request_body,
    ReplyResponseHeaders: _response_headers,
    ReplyResponseBody: _acknowledgement,
}
