"""Sets of endpoints, no faster than they are of use."""

from __future__ import annotations

import asyncio

from epp.discovery.source import Publish
from epp.pool.endpoint import Endpoint

SETTLE_S = 0.1


class Settled:
    """Publishes the first change at once, and what follows it `settle_s` later, as one.

    A rollout changes hundreds of pods in a minute, and each set costs its size.
    """

    def __init__(self, publish: Publish, settle_s: float = SETTLE_S) -> None:
        self._publish = publish
        self._settle_s = settle_s
        self._offered: tuple[Endpoint, ...] = ()
        self._changed = asyncio.Event()
        self.published: tuple[Endpoint, ...] | None = None

    def offer(self, endpoints: tuple[Endpoint, ...]) -> None:
        """Make this the set; endpoints are compared by identity."""
        self._offered = endpoints
        self._changed.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._offered != self.published:
                self.published = self._offered
                self._publish(self._offered)
                await asyncio.sleep(self._settle_s)
