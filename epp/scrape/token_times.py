"""How long the tokens took that a server has made since it was last asked."""

from __future__ import annotations

import math
from collections.abc import Sequence

from epp.scrape import sample

# The pages before are much alike: the search begins this far before the last place.
_SLACK_BYTES = 4096
# A histogram that is not there costs a search of the whole page, so that is believed for a while.
_ABSENT_S = 1.0
_LONGEST_S = 60.0  # a longer time between tokens is a broken page

Totals = tuple[float, float]  # seconds and tokens since the server began


class TokenTimes:
    """Reads a histogram's sum and count: what they grew by is the mean of that time."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = [name.encode() for name in names]
        self._near = 0
        self._before: Totals | None = None
        self._search_at = -math.inf

    def read(self, page: bytes, at: float) -> float | None:
        """Return the mean seconds from token to token; None: no new ones, or nobody knows."""
        if at < self._search_at:
            return None
        before, self._before = self._before, self._totals(page)
        if self._before is None:
            self._search_at = at + _ABSENT_S
            return None
        if before is None:
            return None
        seconds, tokens = self._before[0] - before[0], self._before[1] - before[1]
        # Fewer than before: the server began anew. NaN compares false with everything.
        mean = seconds / tokens if tokens > 0.0 else math.nan
        return mean if 0.0 < mean < _LONGEST_S else None

    def _totals(self, page: bytes) -> Totals | None:
        """Return what all series of the first name that is there add up to."""
        for name in self._names:
            start = page.find(b"\n" + name + b"_sum", self._near)
            if start < 0 < self._near:
                start = page.find(b"\n" + name + b"_sum")
            if start >= 0:
                self._near = max(0, start - _SLACK_BYTES)
                self._names = [name]
                return _added_up(page, name, start + 1)
        self._near = 0
        return None


def _added_up(page: bytes, name: bytes, start: int) -> Totals:
    """Add up the series of a histogram, of which the first sum stands at `start`."""
    seconds = tokens = 0.0
    while start > 0:
        end = page.find(b"\n", start)
        end = len(page) if end < 0 else end
        seconds += sample.value(page[start + len(name) + len(b"_sum") : end])
        tokens += _count_beside(page, name, start, end)
        further = page.startswith(name, end + 1)
        start = page.find(b"\n" + name + b"_sum", end) + 1 if further else 0
    return seconds, tokens


def _count_beside(page: bytes, name: bytes, start: int, end: int) -> float:
    """Read the count, which stands above the sum (Python's client) or below it (Go's)."""
    for at in (page.rfind(b"\n", 0, start - 1) + 1, end + 1):
        if page.startswith(name + b"_count", at):
            stop = page.find(b"\n", at)
            stop = len(page) if stop < 0 else stop
            return sample.value(page[at + len(name) + len(b"_count") : stop])
    return math.nan
