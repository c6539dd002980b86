"""An address that no request may ever be sent to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Canary:
    """Answers whoever comes, so that nothing fails because of it; counts who came."""

    def __init__(self) -> None:
        self.address = ""
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await reader.read(1 << 16)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\ncanary")
        writer.close()


@asynccontextmanager
async def perched() -> AsyncIterator[Canary]:
    canary = Canary()
    server = await asyncio.start_server(canary.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    canary.address = f"{host}:{port}"
    try:
        yield canary
    finally:
        server.close()
