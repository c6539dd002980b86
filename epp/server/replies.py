"""Replies as bytes, for a transport that needs no messages."""

from __future__ import annotations

import msgspec

from epp.exchange.actions import (
    ReplyRequestHeaders,
    ReplyResponseBody,
    RequestReply,
    ResponseReply,
    StreamRequestBody,
    StreamResponseBody,
)
from epp.server import bodies, codec

_ACKNOWLEDGEMENT = ReplyResponseBody()
_ACKNOWLEDGED = codec.reply(_ACKNOWLEDGEMENT).SerializeToString()


def serialized(action: RequestReply | ResponseReply) -> bytes:
    """Return the message that performs `action`."""
    if isinstance(action, StreamResponseBody) and not action.metadata:
        return bodies.write(action)
    if action == _ACKNOWLEDGEMENT:
        return _ACKNOWLEDGED
    if isinstance(action, StreamRequestBody):
        return bodies.write(action)
    if isinstance(action, ReplyRequestHeaders):
        return _REMEMBERED.bytes_of(action)
    return codec.reply(action).SerializeToString()


class Remembered:
    """Replies to request headers, which are few: one for each destination and model.

    Making one anew takes 12 µs more.
    """

    def __init__(self, limit: int = 1024) -> None:
        self._limit = limit
        self._known: dict[bytes, bytes] = {}
        self._key = msgspec.msgpack.Encoder().encode

    def __len__(self) -> int:
        return len(self._known)

    def bytes_of(self, action: ReplyRequestHeaders) -> bytes:
        """Return the reply that performs `action`; all that it says is the key to it."""
        key = self._key(action)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= self._limit:
                self._known.clear()
            known = self._known[key] = codec.reply(action).SerializeToString()
        return known


_REMEMBERED = Remembered()
