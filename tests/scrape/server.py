"""A metrics server on a loopback port that behaves as badly as a test wants."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import cast

Behaviour = Callable[["Visit"], None]


class Visit(asyncio.Protocol):
    """One connection; the behaviour is called at each request that arrives on it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.requests = 0
        self.transport: asyncio.Transport
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.server.visits.append(self)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if self._unread.endswith(b"\r\n\r\n"):
            self.requests += 1
            self.server.requests.append(self._unread)
            self._unread = b""
            self.server.behaviour(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.ended.set()


class Server:
    """What has been asked of it, and by how many connections."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.url = self.address = ""
        self.visits: list[Visit] = []
        self.requests: list[bytes] = []
        self.ended = asyncio.Event()  # a connection has gone

    def paths(self) -> list[str]:
        """Return the paths that were asked for, in order."""
        return [request.split(b" ", 2)[1].decode() for request in self.requests]


@asynccontextmanager
async def serving(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Serve on a port of 127.0.0.1 while the context lasts."""
    server = Server(behaviour)
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: Visit(server), "127.0.0.1", 0, ssl=tls)
    port = listener.sockets[0].getsockname()[1]
    server.address = f"127.0.0.1:{port}"
    server.url = f"http{'s' if tls else ''}://{server.address}/metrics"
    try:
        yield server
    finally:
        listener.close()
        for visit in server.visits:
            visit.transport.abort()
        await listener.wait_closed()


def answer(page: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return a whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(page)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + page


def say(*data: bytes, close: bool = False) -> Behaviour:
    """Answer each request with these bytes."""

    def behave(visit: Visit) -> None:
        for part in data:
            visit.transport.write(part)
        if close:
            visit.transport.close()

    return behave


def by_path(pages: Mapping[str, bytes | Behaviour]) -> Behaviour:
    """Answer each request with the page at its path, in a way of its own or by 404."""

    def behave(visit: Visit) -> None:
        path = visit.server.requests[-1].split(b" ", 2)[1].decode()
        page = pages.get(path, say(answer(b"nothing here", status="404 Not Found")))
        if isinstance(page, bytes):
            visit.transport.write(answer(page))
        else:
            page(visit)

    return behave


def hang(_: Visit) -> None:
    """Answer nothing."""


def drip(visit: Visit) -> None:
    """Answer a byte every few milliseconds, for ever."""

    def drop() -> None:
        if not visit.transport.is_closing():
            visit.transport.write(b"x")
            asyncio.get_running_loop().call_later(0.005, drop)

    visit.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    drop()


def flood(visit: Visit) -> None:
    """Answer without end, as fast as it is read."""

    def pour() -> None:
        if not visit.transport.is_closing():
            if visit.transport.get_write_buffer_size() < 1 << 20:
                visit.transport.write(bytes(1 << 18))
            asyncio.get_running_loop().call_soon(pour)

    visit.transport.write(b"HTTP/1.1 200 OK\r\n\r\n")
    pour()
