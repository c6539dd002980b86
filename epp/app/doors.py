"""The ports on which streams come in, and the pools that they lead to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from epp.app.pool import ServedPool
from epp.server.errors import ListenError
from epp.server.listen import Listener
from epp.server.processor import Conversation, ExternalProcessor
from epp.server.stranger import Stranger

_log = logging.getLogger(__name__)

RETRY_S = 5.0

EMPTY: Mapping[str, ServedPool] = {}


class Plan(msgspec.Struct, frozen=True):
    """Which pool each port leads to, and which pools no port is left for."""

    ports: Mapping[int, str]
    homeless: Mapping[str, int]  # pool to the port that another one has


def plan(pools: Sequence[tuple[str, int]], default_port: int, default_pool: str) -> Plan:
    """Give each pool (name and port of its `endpointPickerRef`) its port.

    A stream says nothing of its pool but the port on which it comes. The default pool has
    `default_port` besides its own; a port that two pools want goes to the default pool, else to
    the first by name.
    """
    ports: dict[int, str] = {}
    if any(name == default_pool for name, _ in pools):
        ports[default_port] = default_pool
    for name, port in sorted(pools, key=lambda pool: (pool[0] != default_pool, pool[0])):
        ports.setdefault(port, name)
    homeless = {name: port for name, port in pools if ports[port] != name}
    return Plan(ports, homeless)


class Door:
    """One open port. Where it leads may change while streams are open.

    A stream whose `:authority` is the name of a pool goes to that pool, whichever port it takes;
    any other to the port's own, if it has one.
    """

    def __init__(self, pool: ServedPool | None, named: Callable[[str], ServedPool | None]) -> None:
        self.pool = pool
        self.processor = ExternalProcessor(self._converse)
        self.listener: Listener | None = None
        self._named = named

    def _converse(self, authority: str) -> Conversation:
        pool = self._named(authority) or self.pool
        return Stranger(authority) if pool is None else pool.converse()


class Doors:
    """Opens ports and closes them, as pools come and go."""

    def __init__(self, open_port: Callable[[int, ExternalProcessor], Awaitable[Listener]]) -> None:
        self._open_port = open_port
        self._doors: dict[int, Door] = {}
        self._wanted: Mapping[int, ServedPool] = {}
        self._named: Mapping[str, ServedPool] = {}
        self._kept: dict[int, Door] = {}  # by the port that was asked for
        self._news = asyncio.Event()
        self._refused: dict[int, str] = {}

    def __repr__(self) -> str:
        return f"<Doors {', '.join(map(str, self._doors))}>"

    @property
    def inflight(self) -> int:
        """Streams that are open on all ports."""
        return sum(door.processor.inflight for door in self._doors.values())

    async def open(self, port: int, pool: ServedPool | None) -> int:
        """Open a port at once and for good; ListenError if it cannot be had. 0: any port.

        Without a pool, it leads to those that streams name.
        """
        door = self._kept[port] = await self._open(port, pool)
        return 0 if door.listener is None else door.listener.port

    def want(
        self, wanted: Mapping[int, ServedPool], named: Mapping[str, ServedPool] = EMPTY
    ) -> None:
        """Have these ports open from now on, and lead to these pools; and know these names."""
        self._wanted = {port: pool for port, pool in wanted.items() if port not in self._kept}
        self._named = named
        for port, door in self._kept.items():
            door.pool = wanted.get(port)
        self._news.set()

    async def run(self) -> None:
        """Open and close as it is wanted, until cancelled. A port that is taken is tried again."""
        while True:
            unfinished = self._refused or self._doors.keys() - self._wanted.keys()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RETRY_S if unfinished else None):
                    await self._news.wait()
            self._news.clear()
            await self._reconcile()

    async def drain(self, timeout_s: float) -> None:
        """Take no new streams, let the open ones finish."""
        async with asyncio.TaskGroup() as group:
            for door in self._doors.values():
                if door.listener is not None:
                    group.create_task(door.listener.drain(timeout_s))

    async def _reconcile(self) -> None:
        wanted = self._wanted
        self._refused = {port: why for port, why in self._refused.items() if port in wanted}
        for port, pool in wanted.items():
            if port in self._doors:
                self._doors[port].pool = pool
            else:
                await self._try(port, pool)
        # A port without a pool stays open while streams are on it, and then closes.
        for port in [p for p in self._doors if p not in wanted]:
            door = self._doors[port]
            if door in self._kept.values():
                continue
            if door.processor.inflight == 0 and door.listener is not None:
                await door.listener.drain(0)
                del self._doors[port]

    def _called(self, authority: str) -> ServedPool | None:
        return self._named.get(authority)

    async def _open(self, port: int, pool: ServedPool | None) -> Door:
        door = Door(pool, self._called)
        door.listener = await self._open_port(port, door.processor)
        self._doors[door.listener.port] = door
        return door

    async def _try(self, port: int, pool: ServedPool) -> None:
        try:
            await self._open(port, pool)
        except ListenError as error:
            if self._refused.get(port) != str(error):
                _log.error("no port for a pool", extra={"pool": pool.name, "problem": str(error)})
            self._refused[port] = str(error)
            return
        self._refused.pop(port, None)
        _log.info("port open", extra={"pool": pool.name, "port": port})
