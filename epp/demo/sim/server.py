"""A simulated vLLM server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from msgspec import structs
from starlette.types import ASGIApp

from epp.demo.sim.app import build
from epp.demo.sim.engine import Engine
from epp.demo.sim.faults import Faults
from epp.demo.sim.listener import Listener, bind
from epp.demo.sim.options import SimOptions
from epp.demo.sim.replica import Replica


async def serve(options: SimOptions, *, started: Callable[[str], None] | None = None) -> None:
    """Serve until cancelled, or until a fault makes the server go away.

    `started` is told the URL. Raises OSError when the address is taken.
    """
    async with SimServer(options) as server:
        if started is not None:
            started(server.url)
        await server.gone()


class SimServer:
    """The server as a context: listening inside, gone outside."""

    def __init__(self, options: SimOptions | None = None) -> None:
        self._replica = Replica(options or SimOptions(port=0))
        self._port = self._replica.options.port
        self._gone = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def __repr__(self) -> str:
        return f"<SimServer {self.address} {self.engine!r}>"

    @property
    def address(self) -> str:
        """Host and port."""
        host = self._replica.options.host
        return f"[{host}]:{self._port}" if ":" in host else f"{host}:{self._port}"

    @property
    def url(self) -> str:
        """Where its API is, without /v1."""
        return f"http://{self.address}"

    @property
    def name(self) -> str:
        """What its answers have in the header x-served-by."""
        return self._replica.options.name or self.address

    @property
    def engine(self) -> Engine:
        """The engine, to be looked at."""
        return self._replica.engine

    @property
    def faults(self) -> Faults:
        """The faults in force."""
        return self._replica.switch.faults

    def set_faults(self, **changes: Any) -> None:
        """Change some of the faults."""
        self._replica.switch.set(structs.replace(self.faults, **changes))

    async def gone(self) -> None:
        """Wait until a fault has made the server go away."""
        await self._gone.wait()

    async def __aenter__(self) -> Self:
        listening = bind(self._replica.options.host, self._port)
        self._port = listening.getsockname()[1]
        self._app: ASGIApp = build(self._replica, self.name)
        self._listener = await Listener.open(self._app, listening)
        self._group = await asyncio.TaskGroup().__aenter__()
        self._tasks = [self._group.create_task(self._replica.run())]
        self._tasks.append(self._group.create_task(self._obey_faults()))
        if self._replica.options.kv_events_endpoint:
            self._tasks.append(self._group.create_task(self._replica.publish(self.address)))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        try:
            await self._group.__aexit__(kind, error, at)
        finally:
            await self._listener.close()

    async def _obey_faults(self) -> None:
        """Leave the port for a while, or for good."""
        switch = self._replica.switch
        while await switch.news():
            if switch.faults.refuse_s:
                await self._listener.close()
                await asyncio.sleep(switch.faults.refuse_s)
                listening = bind(self._replica.options.host, self._port)
                self._listener = await Listener.open(self._app, listening)
                self.set_faults(refuse_s=0.0)
        await self._listener.close()
        self._gone.set()
