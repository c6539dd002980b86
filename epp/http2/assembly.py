"""gRPC messages, out of the bytes of a stream."""

from __future__ import annotations

from struct import Struct

from epp.http2.status import CallError, Status

PREFIX = Struct(">BL")
PREFIX_BYTES = PREFIX.size
# The same after the header of the DATA frame in which the message begins.
MESSAGE = Struct(">LBLBL")
MESSAGE_BYTES = MESSAGE.size


class Assembly:
    """A message whose end is yet to come. Its parts are joined once, when it has come."""

    __slots__ = ("_missing", "_parts", "_prefix", "held")

    def __init__(self) -> None:
        self._prefix = b""
        self._parts: list[bytes] = []
        self._missing = 0
        self.held = 0  # bytes

    def take(self, data: bytes, pos: int, end: int, limit: int) -> tuple[bytes | None, int]:
        """Take bytes up to the message's end; return it when it is whole, and where it ended."""
        start = pos
        if len(self._prefix) < PREFIX_BYTES:
            pos = self._take_prefix(data, pos, end, limit)
        if len(self._prefix) == PREFIX_BYTES:
            part = data[pos : min(end, pos + self._missing)]
            pos += len(part)
            self._missing -= len(part)
            self._parts.append(part)
            if not self._missing:
                return b"".join(self._parts), pos
        self.held += pos - start
        return None, pos

    def _take_prefix(self, data: bytes, pos: int, end: int, limit: int) -> int:
        part = data[pos : min(end, pos + PREFIX_BYTES - len(self._prefix))]
        self._prefix += part
        if len(self._prefix) == PREFIX_BYTES:
            self._missing = message_bytes(self._prefix, 0, limit)
        return pos + len(part)


def split(
    unfinished: Assembly | None, data: bytes, pos: int, end: int, limit: int
) -> tuple[list[bytes], Assembly | None]:
    """Return the messages that end here, and the one that does not.

    CallError if one is compressed, or longer than `limit`.
    """
    messages: list[bytes] = []
    if unfinished is not None:
        message, pos = unfinished.take(data, pos, end, limit)
        if message is None:
            return messages, unfinished
        messages.append(message)
    while end - pos >= PREFIX_BYTES:
        stop = pos + PREFIX_BYTES + message_bytes(data, pos, limit)
        if stop > end:
            break
        messages.append(data[pos + PREFIX_BYTES : stop])
        pos = stop
    if pos == end:
        return messages, None
    rest = Assembly()
    rest.take(data, pos, end, limit)
    return messages, rest


def message_bytes(data: bytes, pos: int, limit: int) -> int:
    """Read a prefix: how long the message after it is."""
    compressed, length = PREFIX.unpack_from(data, pos)
    if compressed:
        raise CallError(
            Status.UNIMPLEMENTED, "compressed messages are not supported; send them as they are"
        )
    if length > limit:
        raise CallError(
            Status.RESOURCE_EXHAUSTED, f"a message of {length} bytes, at most {limit} are taken"
        )
    return int(length)
