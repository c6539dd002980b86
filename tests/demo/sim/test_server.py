from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import httpx
import pytest

from epp.demo.sim.faults import Faults
from epp.demo.sim.options import SimOptions
from epp.demo.sim.server import SimServer, serve
from tests.demo.sim.eventually import eventually


async def served_by(server: SimServer) -> str:
    async with httpx.AsyncClient() as http:
        return str((await http.get(f"{server.url}/health")).headers["x-served-by"])


async def listens(url: str) -> bool:
    async with httpx.AsyncClient() as http:
        try:
            await http.get(f"{url}/health")
        except httpx.ConnectError:
            return False
        return True


async def test_a_server_without_a_name_is_known_by_its_address() -> None:
    async with SimServer() as server:
        assert await served_by(server) == server.address
        assert server.url == f"http://{server.address}"


async def test_the_url_of_a_version_six_address_has_brackets() -> None:
    async with SimServer(SimOptions(host="::1", port=0)) as server:
        assert server.url.startswith("http://[::1]:")
        assert await served_by(server) == server.address


async def test_serving_says_where_and_ends_when_cancelled() -> None:
    told = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(serve(SimOptions(port=0), started=told.set_result))
        assert await listens(await told)
        serving.cancel()
    assert not await listens(told.result())


async def test_serving_ends_when_a_fault_says_so() -> None:
    async with asyncio.timeout(5):
        await serve(SimOptions(port=0, faults=Faults(exit_after_s=0.01)))


async def test_a_taken_port_is_told_to_the_caller() -> None:
    async with SimServer() as server:
        port = int(server.address.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            await serve(SimOptions(port=port))


async def test_a_server_that_refuses_cuts_its_streams_and_comes_back(
    server: SimServer, http: httpx.AsyncClient
) -> None:
    async with streaming(http, server) as answer:
        server.set_faults(refuse_s=0.3)
        with pytest.raises(httpx.TransportError):
            await answer.aread()
    assert not await listens(server.url)
    await eventually(lambda: not server.faults.refuse_s)
    assert (await http.get("/health")).status_code == 200
    assert server.engine.blocks.held == 0


async def test_a_server_may_begin_by_refusing() -> None:
    async with SimServer(SimOptions(port=0, faults=Faults(refuse_s=0.3))) as server:
        await asyncio.sleep(0)
        assert not await listens(server.url)
        await eventually(lambda: not server.faults.refuse_s)
        assert await listens(server.url)


async def test_whoever_still_waits_does_not_keep_the_server_from_closing() -> None:
    endless = {"prompt": "x", "max_tokens": 100_000}
    slow = SimOptions(port=0, faults=Faults(slow_metrics_s=600.0))
    async with (
        httpx.AsyncClient() as http,
        asyncio.TaskGroup() as group,
        asyncio.timeout(3),
        SimServer(slow) as server,
    ):
        group.create_task(cut_off(http.get(f"{server.url}/metrics")))
        group.create_task(cut_off(http.post(f"{server.url}/v1/completions", json=endless)))
        await eventually(lambda: server.engine.running)


async def cut_off(request: Awaitable[httpx.Response]) -> None:
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await request


@asynccontextmanager
async def streaming(http: httpx.AsyncClient, server: SimServer) -> AsyncIterator[httpx.Response]:
    """An answer that has begun and does not end by itself."""
    body = {"prompt": "x", "max_tokens": 100_000, "stream": True}
    async with http.stream("POST", f"{server.url}/v1/completions", json=body) as answer:
        yield answer
