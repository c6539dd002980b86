from __future__ import annotations

import asyncio
import socket
from typing import Any

import httpx

from epp.kube.credentials import Credential
from epp.kube.transport import socket_options, tcp_transport
from epp.kube.trust import Trust


async def test_a_connection_notices_that_the_other_side_is_gone() -> None:
    kept, left = list[dict[int, int]](), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport = tcp_transport(Trust().context(Credential()))
    async with server:
        response = await transport.handle_async_request(
            httpx.Request("GET", f"http://127.0.0.1:{port}/", extensions={"timeout": {}})
        )
        stream: Any = response.extensions["network_stream"]
        raw: socket.socket = stream.get_extra_info("socket")
        kept.append({name: raw.getsockopt(level, name) for level, name, _ in socket_options()})
        await response.aclose()
        await transport.aclose()
        await left.wait()
    assert kept[0][socket.SO_KEEPALIVE] == 1
    assert {name: bool(value) for name, value in kept[0].items()} == dict.fromkeys(kept[0], True)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        assert kept[0][socket.TCP_USER_TIMEOUT] == 30_000


async def test_a_handshake_that_is_cancelled_leaves_no_connection() -> None:
    came, left = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)  # of the hello, which is never answered
        came.set()
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    async def ask(port: int) -> None:
        request = httpx.Request("GET", f"https://127.0.0.1:{port}/", extensions={"timeout": {}})
        await transport.handle_async_request(request)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    transport = tcp_transport(Trust().context(Credential()))
    async with server, asyncio.timeout(10), asyncio.TaskGroup() as group:
        task = group.create_task(ask(server.sockets[0].getsockname()[1]))
        await came.wait()
        task.cancel()
        await left.wait()
    await transport.aclose()
