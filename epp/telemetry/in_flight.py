"""Requests that are under way, by endpoint."""

from __future__ import annotations

from collections import Counter

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Decision


class InFlight:
    """Counts what was placed and is not over. An address that rejoins the pool starts anew."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], int] = {}

    def begin(self, decision: Decision) -> None:
        """Count a placed request in."""
        key = _key(decision.picked[0])
        self._counts[key] = self._counts.get(key, 0) + 1

    def end(self, decision: Decision) -> None:
        """Count it out."""
        key = _key(decision.picked[0])
        left = self._counts.pop(key, 0) - 1
        if left > 0:
            self._counts[key] = left

    def of(self, endpoint: Endpoint) -> int:
        """Return the requests that `endpoint` has from this picker."""
        return self._counts.get(_key(endpoint), 0)

    def by_address(self) -> dict[str, int]:
        """Return the counts of all endpoints that have any."""
        totals: Counter[str] = Counter()
        for (address, _), count in self._counts.items():
            totals[address] += count
        return dict(totals)


def _key(endpoint: Endpoint) -> tuple[str, int]:
    return endpoint.address, endpoint.generation
