"""Sets of endpoints, no faster than they are of use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from epp.discovery.source import Publish
from epp.pool.endpoint import Endpoint

SETTLE_S = 0.2

Make: TypeAlias = Callable[[], tuple[Endpoint, ...]]


class Settled:
    """Publishes the first change at once, and what follows it `settle_s` later, as one.

    A rollout changes hundreds of pods in a minute, and each set costs its size: to make, and to
    take over. Two sets are the same if they have the same objects.
    """

    def __init__(self, publish: Publish, settle_s: float = SETTLE_S) -> None:
        self._publish = publish
        self._settle_s = settle_s
        self._make: Make | None = None
        self._published: tuple[Endpoint, ...] | None = None
        self._changed = asyncio.Event()

    def offer(self, make: Make) -> None:
        """Let the next set be what `make` returns, unless another offer comes before it."""
        self._make = make
        self._changed.set()

    def withdraw(self) -> None:
        """Let the next set be empty; before the first offer there is nothing to empty."""
        if self._make is not None:
            self.offer(tuple)

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            assert self._make is not None
            endpoints = self._make()
            if endpoints != self._published:
                self._published = endpoints
                self._publish(endpoints)
            await asyncio.sleep(self._settle_s)
