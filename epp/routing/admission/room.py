"""The waiting room: who waits, in which order, and for how long at most."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from heapq import heappop, heappush
from itertools import count, islice
from types import MappingProxyType

from epp.routing.admission.band import Band
from epp.routing.admission.flow import Rank
from epp.routing.admission.limits import RoomLimits
from epp.routing.admission.waiter import Waiter


def by_arrival(waiter: Waiter) -> float:
    """Rank first come, first served."""
    return waiter.arrived_at


def by_need(seconds: float) -> Rank:
    """Rank the shorter first: one second of work more is as if a request came `seconds` later."""
    return (lambda waiter: waiter.arrived_at + seconds * waiter.work) if seconds else by_arrival


class WaitingRoom:
    """Strict bands of priority; what a band holds is in its own order.

    The room knows no clock: `elapsed` is to be called at `next_at`, or later.
    """

    def __init__(
        self,
        limits: RoomLimits,
        rank: Rank = by_arrival,
        *,
        of_bands: Mapping[int, RoomLimits] = MappingProxyType({}),
    ) -> None:
        self._limits = limits
        self._of_bands = of_bands
        self._rank = rank
        self._bands: dict[int, Band] = {}
        self.present: set[Waiter] = set()  # who waits: only to be looked at
        self._size_bytes = 0
        self._times: list[tuple[float, int, Waiter]] = []  # a heap; those who left are still in it
        self._numbers = count()

    def __repr__(self) -> str:
        return f"<WaitingRoom {len(self)} requests, {self._size_bytes} bytes>"

    def __len__(self) -> int:
        return len(self.present)

    def __contains__(self, waiter: Waiter) -> bool:
        return waiter in self.present

    @property
    def size_bytes(self) -> int:
        """What all of them hold."""
        return self._size_bytes

    def by_priority(self) -> dict[int, int]:
        """Return how many wait, by priority."""
        return {priority: len(band) for priority, band in self._bands.items()}

    def bytes_by_priority(self) -> dict[int, int]:
        """Return what they hold, by priority."""
        return {priority: band.size_bytes for priority, band in self._bands.items()}

    def fits(self, waiter: Waiter) -> bool:
        """Tell whether there is room for one more."""
        if not self._limits.allow(len(self), self._size_bytes + waiter.size_bytes):
            return False
        limits = self._of_bands.get(waiter.priority)
        return limits is None or self._band(waiter.priority).fits(waiter, limits)

    def add(self, waiter: Waiter) -> None:
        """Let it wait; the caller has made sure that it fits."""
        self._band(waiter.priority).add(waiter)
        self.present.add(waiter)
        self._size_bytes += waiter.size_bytes
        self._note_time(waiter)

    def leave(self, waiter: Waiter) -> None:
        """Let it go without service; one that is not here is no error."""
        if waiter in self.present:
            self._bands[waiter.priority].remove(waiter)
            self._forget(waiter)

    def serve(self, waiter: Waiter) -> None:
        """Let it go because its turn has come."""
        self._bands[waiter.priority].serve(waiter)
        self._forget(waiter)

    def defer(self, waiter: Waiter) -> None:
        """Put it behind those of its priority that can still meet their target."""
        self._bands[waiter.priority].remove(waiter)
        waiter.late = True
        self._band(waiter.priority).add(waiter)
        self._note_time(waiter)

    def first(self, limit: int) -> list[Waiter]:
        """Return the next `limit` waiters, in the order of their turns."""
        return list(islice(self._in_order(), limit))

    def last(self) -> Waiter | None:
        """Return the one that would be refused first: the newest of the lowest band."""
        lowest = min((p for p, band in self._bands.items() if band), default=None)
        if lowest is None:
            return None
        return max(self._bands[lowest], key=lambda waiter: waiter.arrived_at)

    def next_at(self) -> float:
        """Return when time alone will change something; infinity: never."""
        times = self._times
        while times and (times[0][2] not in self.present or times[0][0] != times[0][2].next_at):
            heappop(times)
        return times[0][0] if times else math.inf

    def elapsed(self, now: float) -> list[Waiter]:
        """Return, once, those who have become late or have waited long enough."""
        due = []
        while self.next_at() <= now:
            due.append(heappop(self._times)[2])
        return due

    def _in_order(self) -> Iterator[Waiter]:
        for priority in sorted(self._bands, reverse=True):
            yield from self._bands[priority]

    def _band(self, priority: int) -> Band:
        if priority not in self._bands:
            self._bands[priority] = Band(self._rank)
        return self._bands[priority]

    def _note_time(self, waiter: Waiter) -> None:
        if waiter.next_at < math.inf:
            heappush(self._times, (waiter.next_at, next(self._numbers), waiter))

    def _forget(self, waiter: Waiter) -> None:
        self.present.remove(waiter)
        self._size_bytes -= waiter.size_bytes
