from __future__ import annotations

import asyncio

import httpx
import pytest

from epp.demo.sim.completion import dawdle
from epp.demo.sim.server import SimServer
from tests.demo.sim.eventually import eventually

ENDLESS = {"prompt": "word" * 100, "max_tokens": 100_000}


async def test_a_client_that_leaves_its_stream_frees_its_blocks(
    server: SimServer, http: httpx.AsyncClient
) -> None:
    async with http.stream("POST", "/v1/completions", json={**ENDLESS, "stream": True}) as answer:
        await anext(answer.aiter_bytes())
        assert server.engine.blocks.held >= 7
    await eventually(lambda: not server.engine.running)
    assert server.engine.blocks.held == 0


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_does_not_wait_frees_its_blocks(
    server: SimServer, http: httpx.AsyncClient, stream: bool
) -> None:
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(http.post("/v1/completions", json={**ENDLESS, "stream": stream}))
        await eventually(lambda: server.engine.running)
        asking.cancel()
    await eventually(lambda: not server.engine.running)
    assert server.engine.blocks.held == 0


async def test_dawdling_takes_its_time_but_ends_with_the_connection() -> None:
    left = asyncio.Event()

    async def receive() -> dict[str, str]:
        await left.wait()
        return {"type": "http.disconnect"}

    async with asyncio.timeout(5):
        await dawdle(receive, for_s=0.01)
        left.set()
        await dawdle(receive, for_s=None)


async def test_the_headers_of_a_stream_come_before_its_first_token(
    server: SimServer, http: httpx.AsyncClient
) -> None:
    prompt = "word" * 100_000  # three seconds of prefill, of which twenty pass in one
    body = {"prompt": prompt, "max_tokens": 1, "stream": True}
    async with http.stream("POST", "/v1/completions", json=body) as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert server.engine.running[0].generated == 0
        lines = [line async for line in answer.aiter_lines() if line]
    assert len(lines) == 2
    assert lines[-1] == "data: [DONE]"


async def test_only_an_answer_that_came_to_its_end_counts(
    server: SimServer, http: httpx.AsyncClient
) -> None:
    server.set_faults(exit_after_requests=1)
    async with http.stream("POST", "/v1/completions", json={**ENDLESS, "stream": True}) as answer:
        await anext(answer.aiter_bytes())
    await eventually(lambda: not server.engine.running)
    answer = await http.post("/v1/completions", json={"prompt": "x", "max_tokens": 1})
    assert answer.status_code == 200
    async with asyncio.timeout(5):
        await server.gone()
