"""What a source published, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from epp.discovery.source import Source
from epp.pool.endpoint import Endpoint


class Published:
    """Takes sets of endpoints; `sets` has their addresses, `times` the loop's time of each."""

    def __init__(self) -> None:
        self.sets: list[list[str]] = []
        self.times: list[float] = []
        self._another = asyncio.Event()

    def __call__(self, endpoints: Sequence[Endpoint]) -> None:
        self.sets.append([endpoint.address for endpoint in endpoints])
        self.times.append(asyncio.get_running_loop().time())
        self._another.set()

    async def until(self, addresses: list[str]) -> None:
        """Wait until the last set is `addresses`."""
        while not self.sets or self.sets[-1] != addresses:
            self._another.clear()
            await self._another.wait()


@asynccontextmanager
async def running(source: Source) -> AsyncIterator[Published]:
    """Run `source` for as long as the block lasts."""
    published = Published()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(source.run(published))
        yield published
        task.cancel()
