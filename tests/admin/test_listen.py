from __future__ import annotations

import asyncio
import signal
import socket

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from epp.admin.listen import AdminError, bind, serve


async def hello(_: Request) -> Response:
    return PlainTextResponse("hello")


def application() -> Starlette:
    return Starlette(routes=[Route("/", hello)])


def url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}/"


async def test_it_answers_on_any_free_port() -> None:
    listener = bind("127.0.0.1", 0)
    async with asyncio.TaskGroup() as group, httpx.AsyncClient() as client:
        serving = group.create_task(serve(application(), listener))
        assert (await client.get(url(listener))).text == "hello"
        serving.cancel()


async def test_it_closes_its_socket_and_connections_when_cancelled() -> None:
    listener = bind("127.0.0.1", 0)
    address = listener.getsockname()
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(serve(application(), listener))
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET / HTTP/1.1\r\nhost: admin\r\n\r\n")
        await reader.readuntil(b"hello")
        serving.cancel()
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    assert listener.fileno() == -1
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)


async def test_cancelled_before_it_began_it_closes_its_socket_too() -> None:
    listener = bind("127.0.0.1", 0)
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(serve(application(), listener))
        group.create_task(asyncio.sleep(0)).add_done_callback(lambda _: serving.cancel())
    assert listener.fileno() == -1


async def test_it_leaves_the_signals_alone() -> None:
    listener = bind("127.0.0.1", 0)
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    async with asyncio.TaskGroup() as group, httpx.AsyncClient() as client:
        serving = group.create_task(serve(application(), listener))
        await client.get(url(listener))
        assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == before
        serving.cancel()


def test_a_taken_port_is_a_clear_error() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AdminError, match=rf"127\.0\.0\.1:{port} .*in use.*--metrics-port"):
            bind("127.0.0.1", port)


def test_a_name_that_does_not_resolve_is_a_clear_error() -> None:
    with pytest.raises(AdminError, match="cannot listen on"):
        bind("no such host", 9090)


def test_the_ipv6_wildcard_takes_ipv4_as_well() -> None:
    with (
        bind("::", 0) as listener,
        socket.create_connection(("127.0.0.1", listener.getsockname()[1]), timeout=5),
    ):
        assert listener.family is socket.AF_INET6
