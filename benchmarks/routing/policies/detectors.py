"""When llm-d's flow control takes the pool for saturated, by its two detectors."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

import msgspec

from benchmarks.routing.pod import Reading


class Detector(Protocol):
    """What tells how saturated a pool is: 1 and more is too much."""

    def saturation(
        self, readings: Mapping[int, Reading | None], flights: Collection[int], now: float
    ) -> float:
        """Judge by the last readings, and by the pods of the requests under way."""


class Utilization(msgspec.Struct, frozen=True):
    """The mean over the pods of the fuller of queue and cache, as the metrics tell."""

    queue: int = 5
    usage: float = 0.8
    stale_s: float = 0.2  # an older reading counts as saturated

    def saturation(
        self, readings: Mapping[int, Reading | None], flights: Collection[int], now: float
    ) -> float:
        """Return the mean; a pod that nothing is known of is full."""
        if not readings:
            return 1.0
        return sum(self._of(reading, now) for reading in readings.values()) / len(readings)

    def _of(self, reading: Reading | None, now: float) -> float:
        if reading is None or now - reading.at > self.stale_s:
            return 1.0
        return max(reading.waiting / self.queue, reading.usage / self.usage)


class Concurrency(msgspec.Struct, frozen=True):
    """Requests under way, of those that the pool may have."""

    requests: int = 100  # at a pod

    def saturation(
        self, readings: Mapping[int, Reading | None], flights: Collection[int], now: float
    ) -> float:
        """Return the share."""
        return len(flights) / (self.requests * len(readings)) if readings else 1.0
