"""When to ask a replica next; pure."""

from __future__ import annotations

import math

import msgspec


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """Often while a replica has work of ours, seldom while it has none, ever less while it fails.

    The price of the idle interval: load that others put on a replica that is idle for us is seen
    up to that much later.
    """

    interval_s: float = 0.05
    idle_interval_s: float = 1.0
    idle_after_s: float = 2.0
    max_backoff_s: float = 2.0

    def __post_init__(self) -> None:
        if not 0.001 <= self.interval_s <= self.idle_interval_s < math.inf:
            raise ValueError("intervals: 1 ms or more, and the idle one not shorter than the other")
        if not self.interval_s <= self.max_backoff_s < math.inf:
            raise ValueError("the longest backoff is not shorter than the interval")

    def first(self, now: float, phase: float) -> float:
        """Return when to ask a newcomer: within one short interval, as nothing is known of it."""
        return now + phase * self.interval_s

    def following(self, now: float, due: float, phase: float, *, in_use: bool) -> float:
        """Return the next of the replica's own moments after an answer to the question of `due`.

        `phase`, 0 to 1, spreads the replicas over the interval. A timer may ring a little before
        `due`; the same moment must not be taken again.
        """
        interval_s = self.interval_s if in_use else self.idle_interval_s
        offset = phase * interval_s
        passed = math.floor((max(now, due) - offset) / interval_s + 0.01)
        return offset + (passed + 1) * interval_s

    def after_failure(self, now: float, failures: int, jitter: float) -> float:
        """Return when to ask again after so many failures in a row; `jitter` is 0 to 1."""
        backoff_s = min(self.max_backoff_s, self.interval_s * 2.0 ** min(failures, 30))
        return now + backoff_s * (0.5 + jitter / 2)

    def in_use(self, now: float, used_at: float) -> bool:
        """Whether a replica last used at `used_at` counts as used still."""
        return now - used_at < self.idle_after_s
