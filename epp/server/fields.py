"""A field of a message, on the level of the wire."""

from __future__ import annotations

from google.protobuf.message import DecodeError

LONG = 0x80  # a length from here on takes more than one byte
_MAX_SHIFT = 28


def span(data: bytes, pos: int) -> tuple[int, int]:
    """Return where a field's content begins and ends whose tag, of one byte, is at `pos`.

    The end may be beyond that of `data`. IndexError or DecodeError if there is no length.
    """
    size = data[pos + 1]
    start = pos + 2
    if size < LONG:
        return start, start + size
    size &= 0x7F
    if (octet := data[start]) < LONG:  # as most that do not fit into one byte
        start += 1
        return start, start + (octet << 7 | size)
    for shift in range(7, _MAX_SHIFT + 1, 7):
        octet = data[start]
        start += 1
        size |= (octet & 0x7F) << shift
        if octet < LONG:
            return start, start + size
    raise DecodeError("a length that does not end")
