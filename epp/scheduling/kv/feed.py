"""One endpoint's events, in order: what is missing, and what can be believed."""

from __future__ import annotations

import enum

from epp.scheduling.kv.events import Batch
from epp.scheduling.kv.index import Applied, KvIndex


class Phase(enum.Enum):
    """What is known of an endpoint's cache."""

    SILENT = "silent"  # nothing has been heard yet
    LIVE = "live"  # all of it
    PARTIAL = "partial"  # what was stored since a gap that could not be closed
    LOST = "lost"  # it was, until the connection was lost
    TOO_LARGE = "too-large"  # nothing: its blocks do not fit into the index


class Feed:
    """Numbers that follow each other, from 0 in each life of the server.

    A message that does not come next is either a repetition, or the first of another life (both
    have a lower number; the server's own clock tells which), or some before it are missing.
    """

    def __init__(self, address: str, index: KvIndex) -> None:
        self.address = address
        self._phase = Phase.SILENT
        self.applied = Applied()
        self.messages = self.repeated = self.gaps = self.restarts = self.unknown = 0
        self.lag_s = 0.0  # from the server's clock to ours, at the last message
        self.connected = True
        self._doubted = False  # the connection was lost, and nothing has come since
        self._index = index
        self._next = 0
        self._clock = float("-inf")  # of the server, in the last message
        self._since_gap = 0  # blocks stored

    def __repr__(self) -> str:
        blocks = self._index.blocks_of(self.address)
        return f"<Feed {self.address} {self.phase().value}, {blocks} blocks, next {self._next}>"

    def take(self, number: int, batch: Batch) -> int | None:
        """Apply a message; return where a replay must begin if others must come before it."""
        if number < self._next:
            if batch.ts <= self._clock:
                self.repeated += 1
                return None
            self.restarts += 1
            self.begin()
        if number > self._next and not self._starts(number):
            return self._next
        self._apply(number, batch)
        return None

    def resume(self, number: int, batch: Batch) -> None:
        """Go on with a message though others before it are lost: what is held is not known."""
        self.gaps += 1
        self.begin()
        self._phase = Phase.PARTIAL
        self._since_gap = 0
        self._apply(number, batch)

    def begin(self) -> None:
        """Expect a new life of the server, or the whole story of this one."""
        self._index.clear(self.address)
        self._phase, self._doubted = Phase.SILENT, not self.connected
        self._next, self._clock = 0, float("-inf")

    def caught_up(self) -> None:
        """Take note that a replay is complete: if nothing came, nothing is cached."""
        if self._phase is Phase.SILENT:
            self._phase = Phase.LIVE

    def lose(self) -> None:
        """Believe nothing until the connection is back and a message shows that none is missing."""
        self.connected, self._doubted = False, True

    def phase(self, capacity_blocks: int | None = None) -> Phase:
        """Return what is known of a cache of this size.

        Once a server has stored as many blocks as it has room for, nothing is left of what was
        there before a gap.
        """
        if self._phase is Phase.PARTIAL and capacity_blocks and self._since_gap >= capacity_blocks:
            self._phase = Phase.LIVE
        if self._doubted and self._phase is not Phase.SILENT:
            return Phase.LOST
        return self._phase

    def _starts(self, number: int) -> bool:
        """Tell whether a server begins here that counts from 1."""
        return number == 1 and self._next == 0 and self._phase is Phase.SILENT

    def _apply(self, number: int, batch: Batch) -> None:
        self.messages += 1
        self.unknown += len(batch.unknown)
        self.applied.malformed += batch.malformed
        before = self.applied.stored
        fits = self._index.apply(self.address, batch.events, self.applied)
        self._next, self._clock = number + 1, batch.ts
        self._since_gap += self.applied.stored - before
        self._doubted = self._doubted and not self.connected
        if not fits:
            self._phase = Phase.TOO_LARGE
        elif self._phase is Phase.SILENT:
            self._phase = Phase.LIVE
