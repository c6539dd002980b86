"""An application on a listening socket, in the running loop."""

from __future__ import annotations

import socket
from typing import Self

import uvicorn
from starlette.types import ASGIApp

KEEP_ALIVE_S = 75  # longer than proxies keep idle connections, so that it is they who close
LAST_WORDS_S = 5  # handlers see that their connection is cut and end at once


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; raise OSError when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=1024)


class Listener:
    """Uvicorn without its process: no signal handlers, no ticking, no farewell."""

    def __init__(self, server: uvicorn.Server, listening: socket.socket) -> None:
        self._server = server
        self._socket = listening

    @classmethod
    async def open(cls, app: ASGIApp, listening: socket.socket) -> Self:
        """Accept connections from now on."""
        config = uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=LAST_WORDS_S,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[listening])
        return cls(server, listening)

    async def close(self) -> None:
        """Cut all connections, as a process that dies does, and stop accepting."""
        for connection in tuple(self._server.server_state.connections):
            connection.transport.abort()
        await self._server.shutdown(sockets=[self._socket])
