"""Whether the picker may be asked."""

from __future__ import annotations

import asyncio

from epp.server.health import Health


class Readiness:
    """Ready while the pools are known and, where there is an election, this picker leads."""

    def __init__(self) -> None:
        self._known = False
        self._leading = True
        self._changed = asyncio.Event()
        self.first = asyncio.Event()  # set once, when it is ready for the first time

    def know(self, known: bool) -> None:
        """Say whether there is a pool to pick from, empty or not."""
        self._known = known
        self._changed.set()

    def lead(self, leading: bool) -> None:
        """Say whether this picker is the active one."""
        self._leading = leading
        self._changed.set()

    async def run(self, health: Health) -> None:
        """Tell the health service, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            ready = self._known and self._leading
            health.set_ready(ready)
            if ready:
                self.first.set()
