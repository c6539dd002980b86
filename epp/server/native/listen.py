"""Opens a port with the native transport and closes it without cutting off what still runs."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

from epp.http2.guards import Capacity
from epp.server.errors import ListenError
from epp.server.listen import ListenSettings, Services, refusal
from epp.server.native import memory
from epp.server.native.services import methods
from epp.server.native.tls import context_from
from epp.server.native.wire import Wire, Wires, WireSettings
from epp.server.tls import Certificates

TICK_S = 1.0
HANDSHAKE_S = 10.0
CLOSING_S = 1.0  # what a peer gets to take the last bytes
BACKLOG = 1024
MUCH_BYTES = 32 * 1024 * 1024

# What the process has for all of its ports.
_CAPACITY = Capacity()


class NativeListener:
    """Services on an open port."""

    def __init__(self, wires: Wires, path: Path | None) -> None:
        self.port = 0
        self._wires = wires
        self._path = path
        self._server: asyncio.Server | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._taken = 0  # bytes, since memory was last given back

    def __repr__(self) -> str:
        return f"<NativeListener on {self._path or f'port {self.port}'}>"

    def start(self, server: asyncio.Server) -> None:
        """Begin with what the loop has opened."""
        self._server = server
        name = server.sockets[0].getsockname()
        self.port = name[1] if isinstance(name, tuple) else 0
        self._tick_later()

    async def drain(self, timeout_s: float) -> None:
        """Take nothing new, let streams finish; end with an error those that take longer."""
        if self._server is not None:
            self._server.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
        for wire in self._wires:
            wire.drain()
        await self._wires.gone(timeout_s)
        for wire in self._wires:
            wire.cut()
        await self._wires.gone(CLOSING_S)
        for wire in self._wires:
            wire.abort()
        if self._ticking is not None:
            self._ticking.cancel()

    def _tick_later(self) -> None:
        self._ticking = asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def _tick(self) -> None:
        self._tick_later()
        for wire in self._wires:
            wire.tick()
        self._give_back()

    def _give_back(self) -> None:
        """Give memory of large bodies back, in a quiet second: that takes some milliseconds."""
        received, self._wires.received = self._wires.received, 0
        self._taken += received
        if not received and self._taken >= MUCH_BYTES:
            self._taken = 0
            memory.give_back()


async def listen(
    settings: ListenSettings,
    services: Services,
    certificates: Certificates | None,
    clock: Callable[[], float] = time.monotonic,
) -> NativeListener:
    """Open the port and serve. Without certificates it is neither secret nor checked."""
    wires = Wires()
    shared = WireSettings(
        methods(services),
        _CAPACITY,
        clock,
        settings.max_message_bytes,
        settings.max_concurrent_streams,
    )
    listener = NativeListener(wires, settings.path)
    loop = asyncio.get_running_loop()
    create = loop.create_server if settings.path is None else loop.create_unix_server
    try:
        server = await create(
            lambda: Wire(shared, wires),
            sock=_bound(settings),
            backlog=BACKLOG,
            ssl=None if certificates is None else context_from(certificates),
            ssl_handshake_timeout=None if certificates is None else HANDSHAKE_S,
        )
    except OSError as error:
        raise ListenError(refusal(settings, os.strerror(error.errno or 0))) from error
    listener.start(server)
    return listener


def _bound(settings: ListenSettings) -> socket.socket:
    if settings.path is not None:
        settings.path.unlink(missing_ok=True)  # what an earlier process has left
        bound = socket.socket(socket.AF_UNIX)
        bound.bind(str(settings.path))
        return bound
    six = ":" in settings.host
    return socket.create_server(
        (settings.host, settings.port),
        family=socket.AF_INET6 if six else socket.AF_INET,
        backlog=BACKLOG,
        reuse_port=settings.reuse_port,
        dualstack_ipv6=six and settings.host == "::",
    )
