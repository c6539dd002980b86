"""How Envoy sends a body to the picker."""

from __future__ import annotations

import enum

import msgspec


class BodyMode(enum.IntEnum):
    """`ProcessingMode.BodySendMode`, with its numbers."""

    NONE = 0
    STREAMED = 1
    BUFFERED = 2
    BUFFERED_PARTIAL = 3
    FULL_DUPLEX_STREAMED = 4


class Modes(msgspec.Struct, frozen=True):
    """The two body modes of one stream."""

    request: BodyMode
    response: BodyMode
