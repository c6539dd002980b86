"""Header blocks: read with all that the format has, written with as little as answers need.

Peers are asked to keep no table (`SETTINGS_HEADER_TABLE_SIZE` 0). They learn of it only after their
first requests, so until then a block may depend on those before it. One that does not, and changes
nothing for those after it, means the same whenever it comes: its meaning can be remembered by its
bytes.
"""

from __future__ import annotations

from collections import deque

from epp.http2 import huffman
from epp.http2.errors import ErrorCode, Http2ConnectionError
from epp.http2.guards import MAX_HEADER_LIST_BYTES, MAX_OVERLONG_LIST_BYTES
from epp.http2.static_table import STATIC_TABLE

Field = tuple[str, str]

DEFAULT_TABLE_BYTES = 4096
ENTRY_OVERHEAD_BYTES = 32  # of each entry, in the table's size and in that of a list

# Strings repeat from request to request (a path, an agent's name). 1,024 of at most 256 bytes are
# half a MiB for a connection that tries to fill it.
_KNOWN_STRINGS = 1024
_KNOWN_STRING_BYTES = 256

# No integer of a block can be larger than the block: four octets beyond the first are plenty.
_MAX_SHIFT = 28


class Decoder:
    """Reads one connection's blocks, in order."""

    def __init__(self) -> None:
        self._entries: deque[Field] = deque()
        self._size = 0
        self._max_size = DEFAULT_TABLE_BYTES
        self._limit = DEFAULT_TABLE_BYTES
        self._strings: dict[bytes, str] = {}
        self.independent = True  # the last block had nothing to do with the table

    def limit(self, table_bytes: int) -> None:
        """Let the table not be made larger than the peer has just agreed to.

        It says in its next block that it is smaller. One that never does, and goes on to use its
        table, is understood all the same.
        """
        self._limit = table_bytes

    def decode(self, block: bytes) -> list[Field] | None:
        """Return the fields; None if they are too long together.

        The table follows in that case too: what comes next must be understood. Beyond all measure
        it is an error of the connection.
        """
        fields: list[Field] | None = []
        self.independent = True
        size, pos, end = 0, self._resize(block), len(block)
        while pos < end:
            field, pos = self._field(block, pos)
            size += len(field[0]) + len(field[1]) + ENTRY_OVERHEAD_BYTES
            if size > MAX_HEADER_LIST_BYTES:
                _expect_an_end(size)
                fields = None
            if fields is not None:
                fields.append(field)
        return fields

    def _resize(self, block: bytes) -> int:
        """Read changes of the table's size, which come first; return where the fields begin."""
        pos = 0
        while pos < len(block) and block[pos] & 0xE0 == 0x20:
            size, pos = _integer(block, pos, 5)
            if size > self._limit:
                raise _broken("a table larger than agreed")
            self.independent = self.independent and size == self._max_size
            self._max_size = size
            self._evict()
        return pos

    def _field(self, block: bytes, pos: int) -> tuple[Field, int]:
        first = block[pos]
        if first & 0x80:
            index, pos = _integer(block, pos, 7)
            return self._entry(index), pos
        if first & 0x40:
            field, pos = self._literal(block, pos, 6)
            self._add(field)
            return field, pos
        if first & 0x20:
            raise _broken("a change of the table's size after a field")
        return self._literal(block, pos, 4)

    def _literal(self, block: bytes, pos: int, bits: int) -> tuple[Field, int]:
        index, pos = _integer(block, pos, bits)
        if index:
            name = self._entry(index)[0]
        else:
            name, pos = self._string(block, pos)
        value, pos = self._string(block, pos)
        return (name, value), pos

    def _string(self, block: bytes, pos: int) -> tuple[str, int]:
        if pos >= len(block):
            raise _broken("a block that ends within a field")
        coded = block[pos] & 0x80
        length, pos = _integer(block, pos, 7)
        end = pos + length
        if end > len(block):
            raise _broken("a string that is longer than its block")
        data = block[pos:end]
        return (self._plain(data) if coded else data.decode("latin-1")), end

    def _plain(self, data: bytes) -> str:
        known = self._strings.get(data)
        if known is not None:
            return known
        text = huffman.decode(data).decode("latin-1")
        if len(data) <= _KNOWN_STRING_BYTES:
            if len(self._strings) >= _KNOWN_STRINGS:
                self._strings.clear()
            self._strings[data] = text
        return text

    def _entry(self, index: int) -> Field:
        if 0 < index <= len(STATIC_TABLE):
            return STATIC_TABLE[index - 1]
        own = index - len(STATIC_TABLE) - 1
        if not 0 <= own < len(self._entries):
            raise _broken("a field that is not in the table")
        self.independent = False
        return self._entries[own]

    def _add(self, field: Field) -> None:
        self.independent = self.independent and not (self._max_size or self._limit)
        self._entries.appendleft(field)
        self._size += _weight(field)
        self._evict()

    def _evict(self) -> None:
        while self._size > self._max_size:
            self._size -= _weight(self._entries.pop())


def _expect_an_end(size: int) -> None:
    if size > MAX_OVERLONG_LIST_BYTES:
        raise Http2ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "far too many headers")


def _weight(field: Field) -> int:
    return len(field[0]) + len(field[1]) + ENTRY_OVERHEAD_BYTES


def _integer(block: bytes, pos: int, bits: int) -> tuple[int, int]:
    """Read a number that begins in the last `bits` bits of an octet, and where it ends."""
    mask = (1 << bits) - 1
    value = block[pos] & mask
    pos += 1
    if value < mask:
        return value, pos
    for shift in range(0, _MAX_SHIFT, 7):
        if pos >= len(block):
            break
        octet = block[pos]
        pos += 1
        value += (octet & 0x7F) << shift
        if octet < 0x80:
            return value, pos
    raise _broken("a number that does not end")


def _broken(reason: str) -> Http2ConnectionError:
    return Http2ConnectionError(ErrorCode.COMPRESSION_ERROR, reason)


# --- what answers are made of -------------------------------------------------------------------

_STATUS_200 = b"\x88"


def encode(*fields: tuple[bytes, bytes]) -> bytes:
    """Return a block of literals, which no table changes."""
    return b"".join(b"\x00" + _text(name) + _text(value) for name, value in fields)


def ok(*fields: tuple[bytes, bytes]) -> bytes:
    """Return a block that begins with `:status: 200`."""
    return _STATUS_200 + encode(*fields)


def _text(data: bytes) -> bytes:
    return _length(len(data)) + data


def _length(value: int) -> bytes:
    if value < 0x7F:
        return bytes((value,))
    octets, rest = [0x7F], value - 0x7F
    while rest >= 0x80:
        octets.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes((*octets, rest))
