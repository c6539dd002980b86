"""The waiting requests of one client."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable
from typing import TypeAlias

from epp.routing.admission.waiter import Waiter

Rank: TypeAlias = Callable[[Waiter], float]


class Flow:
    """Waiters by rank, and the service that the flow has had, in the band's virtual time."""

    __slots__ = ("_rank", "served", "waiters")

    def __init__(self, rank: Rank, served: float) -> None:
        self.served = served
        self.waiters: list[Waiter] = []
        self._rank = rank

    def __len__(self) -> int:
        return len(self.waiters)

    def add(self, waiter: Waiter) -> None:
        """Put it behind all of the same rank."""
        insort(self.waiters, waiter, key=self._rank)

    def remove(self, waiter: Waiter) -> None:
        """Take it out; ValueError if it is not there."""
        first = bisect_left(self.waiters, self._rank(waiter), key=self._rank)
        del self.waiters[self.waiters.index(waiter, first)]
