"""Requests that an endpoint has and this picker does not know of, or the other way round."""

from __future__ import annotations

from epp.pool.load import Load

_PATIENCE = 2  # readings that may disagree before they are believed


class Reconciled:
    """How far the endpoint's own count is from the ledger's.

    A reading is a moment old, and a request is a moment under way. So it is compared with all that
    the ledger had since the reading before, and believed when more than two in a row disagree in
    the same direction; then by the least of their differences.
    """

    __slots__ = ("_highest", "_least", "_lowest", "_now", "_streak", "count")

    def __init__(self) -> None:
        self.count = 0  # above 0: other clients' requests; below: ours that are gone there
        self._now = self._lowest = self._highest = 0
        self._streak = 0
        self._least = 0

    def __repr__(self) -> str:
        return f"<Reconciled {self.count:+d}>"

    def ours(self, count: int) -> None:
        """Take note of a change of the ledger's own count."""
        self._now = count
        self._lowest = min(self._lowest, count)
        self._highest = max(self._highest, count)
        self.count = max(self.count, -count)

    def assume(self, count: int) -> None:
        """Take over what is usual, of an endpoint that has not told anything."""
        self.count = max(self.count, count)

    def read(self, load: Load) -> bool:
        """Take a reading; True: the endpoint has lost all that it had, so it began anew."""
        lowest, highest = self._lowest, self._highest
        self._lowest = self._highest = self._now
        if load.running is None:
            return False
        there = max(0, load.running) + max(0, load.waiting or 0)
        difference = there - self.count
        difference -= lowest if difference < lowest else min(difference, highest)
        if difference == 0:
            self._streak = 0
            return False
        same_way = self._streak > 0 and (difference > 0) == (self._least > 0)
        self._streak = self._streak + 1 if same_way else 1
        if not same_way or abs(difference) < abs(self._least):
            self._least = difference
        if self._streak <= _PATIENCE:
            return False
        self.count = max(-self._now, self.count + self._least)
        self._streak = 0
        return there == 0 and lowest > 0
