"""The pages' HTTP server, inside the picker's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp


class AdminError(Exception):
    """The admin server cannot do what it was asked to."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the picker."""
        yield


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes any free one."""
    try:
        if ":" in host:  # [::] takes IPv4 as well
            return socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=True)
        return socket.create_server((host, port))
    except OSError as error:
        raise AdminError(
            f"cannot listen on {host}:{port} for metrics: {error.strerror or error}; "
            "choose another port with --metrics-port"
        ) from error


async def serve(application: ASGIApp, listener: socket.socket) -> None:
    """Serve on `listener` until cancelled, then close it and every connection."""
    server = _Server(
        uvicorn.Config(
            application,
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            limit_concurrency=64,  # scrapers are few; whoever opens more gets 503
            timeout_graceful_shutdown=1,
        )
    )
    try:
        await server.serve(sockets=[listener])
    except asyncio.CancelledError:
        if server.started:
            await server.shutdown(sockets=[listener])
        listener.close()
        raise
