"""Where a prompt is cut into blocks."""

from __future__ import annotations

import msgspec

_COARSE = 4  # times the size, from there on


class Cut(msgspec.Struct, frozen=True):
    """Blocks of one size for the first `fine` of them, then four times as large.

    Which places they end at does not depend on the prompt's length, so that a later turn of a
    conversation has the blocks of the earlier ones. A long prompt has so few of them that hashing
    it stays cheap, and the larger ones are still less than a sixteenth of it.
    """

    size: int  # of a block at the beginning, in units: bytes or tokens
    fine: int = 64

    @property
    def coarse(self) -> int:
        """The units of a later block."""
        return self.size * _COARSE

    def count(self, length: int) -> int:
        """Return the number of whole blocks in a prompt of `length` units."""
        fine = self.size * self.fine
        if length < fine:
            return length // self.size
        return self.fine + (length - fine) // self.coarse

    def reach(self, blocks: int) -> int:
        """Return the units in so many leading blocks."""
        if blocks <= self.fine:
            return blocks * self.size
        return self.size * (self.fine + (blocks - self.fine) * _COARSE)

    def size_at(self, block: int) -> int:
        """Return the units of block number `block`, counted from 0."""
        return self.size if block < self.fine else self.coarse
