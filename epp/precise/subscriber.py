"""Listens to the KV events of a pool's model servers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import zmq.asyncio

from epp.pool.endpoint import Endpoint
from epp.pool.snapshot import Snapshot
from epp.pool.store import Change
from epp.precise.bound import Bound
from epp.precise.connection import Connection
from epp.precise.directory import Directory
from epp.precise.intake import Intake, Wire
from epp.precise.tally import Tally
from epp.scheduling.kv.feeds import Feeds
from epp.scheduling.kv.settings import KvEventsConfig

_REPLAYS = 8  # at a time


def _wall() -> float:
    return datetime.now(UTC).timestamp()


class Subscriber:
    """Keeps a connection to each endpoint of the pool, or one address for all, while `run` runs."""

    def __init__(
        self,
        settings: KvEventsConfig,
        feeds: Feeds,
        snapshot: Callable[[], Snapshot],
        wall: Callable[[], float] = _wall,
    ) -> None:
        self.tally = Tally()
        self.feeds = feeds
        self._settings = settings
        self._snapshot = snapshot
        self._wall = wall
        self._group: asyncio.TaskGroup | None = None
        self._wire: Wire | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._intakes: dict[str, Intake] = {}  # of endpoints that connect to us

    def __repr__(self) -> str:
        return f"<Subscriber {self.feeds!r}>"

    async def run(self) -> None:
        """Listen until cancelled."""
        settings = self._settings
        context = zmq.asyncio.Context()
        try:
            wire = Wire(context, self.tally, self._wall, asyncio.Semaphore(_REPLAYS))
            async with asyncio.TaskGroup() as group:
                self._group, self._wire = group, wire
                self._join(*self._snapshot().endpoints)
                if settings.zmq_endpoint:
                    bound = Bound(
                        settings.zmq_endpoint,
                        settings.topic_filter,
                        Directory(self._snapshot),
                        self._intake,
                        wire,
                    )
                    group.create_task(bound.run())
                await asyncio.Event().wait()
        finally:
            self._group = self._wire = None
            self._tasks.clear()
            context.destroy(linger=0)

    def follow(self, change: Change) -> None:
        """Listen to those that joined, no longer to those that left."""
        for endpoint in change.left:
            task = self._tasks.pop(endpoint.address, None)
            if task is not None:
                task.cancel()
            self._intakes.pop(endpoint.address, None)
            self.tally.forget(endpoint.address)
        self._join(*change.joined)

    def _join(self, *endpoints: Endpoint) -> None:
        if self._group is None or not self._settings.discover_pods:
            return
        for endpoint in endpoints:
            connection = self._connection(endpoint, self._running())
            self._tasks[endpoint.address] = self._group.create_task(connection.run())

    def _connection(self, endpoint: Endpoint, wire: Wire) -> Connection:
        return Connection(
            endpoint,
            self.feeds.of(endpoint.address),
            wire,
            url=_url(endpoint, self._settings.pod_discovery_config.socket_port),
            replay_url=self._replay_url(endpoint),
            prefix=self._settings.topic_filter,
        )

    def _intake(self, endpoint: Endpoint) -> Intake:
        intake = self._intakes.get(endpoint.address)
        if intake is None:
            feed = self.feeds.of(endpoint.address)
            intake = Intake(feed, self._replay_url(endpoint), self._running())
            self._intakes[endpoint.address] = intake
        return intake

    def _running(self) -> Wire:
        if self._wire is None:
            raise RuntimeError("events come in only while the subscriber runs")
        return self._wire

    def _replay_url(self, endpoint: Endpoint) -> str:
        port = self._settings.pod_discovery_config.replay_socket_port
        return _url(endpoint, port) if port else ""


def _url(endpoint: Endpoint, port: int) -> str:
    host = endpoint.address.rpartition(":")[0]
    return f"tcp://{host}:{port + endpoint.rank}"
