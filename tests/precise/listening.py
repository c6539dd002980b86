"""A subscriber that runs, over a pool that the test changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from epp.pool.endpoint import Endpoint
from epp.pool.store import Store
from epp.precise.subscriber import Subscriber
from epp.scheduling.kv.feed import Feed
from epp.scheduling.kv.feeds import Feeds
from epp.scheduling.kv.settings import KvEventsConfig

A = Endpoint("127.0.0.1:8000", name="pod-a")


class Listening:
    """What a pool and its subscriber are in the picker."""

    def __init__(self, **settings: Any) -> None:
        self.store = Store()
        self.feeds = Feeds(1_000_000)
        config = msgspec.convert(settings, KvEventsConfig)
        self.subscriber = Subscriber(config, self.feeds, self.store.snapshot)
        self.tally = self.subscriber.tally

    def publish(self, *endpoints: Endpoint) -> None:
        """Make these the pool, as discovery does."""
        change = self.store.replace(endpoints)
        for endpoint in change.left:
            self.feeds.forget(endpoint.address)
        self.subscriber.follow(change)

    @property
    def feed(self) -> Feed:
        return self.feeds.of(A.address)

    async def until(self, met: Callable[[], bool]) -> None:
        """Wait for something that sockets bring about in other threads."""
        async with asyncio.timeout(20):
            while not met():
                await asyncio.sleep(0.005)

    def blocks(self, endpoint: Endpoint = A) -> int:
        return self.feeds.index.blocks_of(endpoint.address)


@asynccontextmanager
async def listening(*endpoints: Endpoint, **settings: Any) -> AsyncIterator[Listening]:
    """Listen to these endpoints."""
    one = Listening(**settings)
    one.publish(*(endpoints or (A,)))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(one.subscriber.run())
        try:
            yield one
        finally:
            running.cancel()
