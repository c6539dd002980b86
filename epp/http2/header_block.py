"""A block of headers that comes in several frames."""

from __future__ import annotations

from epp.http2.errors import ErrorCode, Http2ConnectionError
from epp.http2.guards import MAX_CONTINUATIONS, MAX_HEADER_BLOCK_BYTES


class HeaderBlock:
    """Collects a block, bounded before any of it is decoded."""

    __slots__ = ("_parts", "_size", "ends_stream", "stream_id")

    def __init__(self, stream_id: int, first: bytes, *, ends_stream: bool) -> None:
        self.stream_id = stream_id
        self.ends_stream = ends_stream
        self._parts = [first]
        self._size = len(first)

    def add(self, part: bytes) -> None:
        """Take one more frame's; Http2ConnectionError if that is too much."""
        self._parts.append(part)
        self._size += len(part)
        if self._size > MAX_HEADER_BLOCK_BYTES or len(self._parts) > MAX_CONTINUATIONS:
            raise Http2ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "too many headers")

    def whole(self) -> bytes:
        """Return all of it."""
        return b"".join(self._parts)
