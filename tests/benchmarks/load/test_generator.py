"""The clients and the model servers that they ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

from benchmarks.load import child, upstream
from benchmarks.load.generator import Job, perform
from epp.demo.ports import free_port


def job(port: int, **changes: Any) -> Job:
    work: dict[str, Any] = {
        "body_bytes": 600,
        "chunks": 5,
        "gap_ms": 0,
        "concurrency": 2,
        "requests": 7,
    }
    return Job(port=port, seconds=5, timeout_s=0.5, **{**work, **changes})


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[int]:
    """A server that answers one request with these bytes and closes; without any it never does."""
    closed = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        if not answer:
            await reader.read()  # until the client gives up
        writer.close()
        await writer.wait_closed()
        closed.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        await closed.wait()


@pytest.mark.parametrize("gap_ms", [0, 5])
async def test_every_request_is_answered_and_counted(gap_ms: int) -> None:
    port = free_port()
    async with child.running("benchmarks.load.upstream", str(port), ready=b"ready"):
        result = await perform(job(port, gap_ms=gap_ms))
    assert (result.answered, result.failed, result.problem) == (7, 0, "")
    assert 0 < result.p50_ms <= result.p99_ms
    assert result.p50_ms >= 3 * gap_ms  # five chunks have four gaps, give or take a timer's tick


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n", "status 503"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab", "connection lost"),
        (b"", "no answer"),
    ],
)
async def test_an_answer_that_is_none_has_failed(answer: bytes, problem: str) -> None:
    async with answering(answer) as port:
        once = job(port, requests=1, concurrency=1)
        result = await perform(msgspec.structs.replace(once, seconds=0.1))
    assert (result.answered, result.failed, result.problem) == (0, 1, problem)


async def test_the_model_servers_answer_as_vllm_does_and_say_how_often_they_were_scraped() -> None:
    ports = [free_port(), free_port()]
    serving = child.running("benchmarks.load.upstream", *map(str, ports), ready=b"ready")
    async with serving, httpx.AsyncClient() as client:
        there = f"http://127.0.0.1:{ports[1]}"
        page = (await client.get(f"{there}/metrics")).content
        assert len(page) > 50_000
        assert b"vllm:num_requests_waiting" in page
        asked = (await client.get(f"{there}/asked")).json()
        assert asked == {str(ports[0]): 0, str(ports[1]): 1}
        answer = await client.post(f"{there}/v1/chat/completions", headers={"x-chunks": "20"})
        assert answer.headers["content-type"] == "text/event-stream"
        events = answer.text.split("\n\n")
        assert len(events) == 20 + 2  # [DONE] comes with the last, and the text ends in a gap
        assert '"completion_tokens":20' in events[19]
        assert (await client.post(f"{there}/v1/chat/completions")).json()["usage"]


def test_an_answer_in_pieces_and_in_one_is_the_same() -> None:
    assert b"".join(upstream.parts(200)) == upstream.whole(200)
    assert len(upstream.parts(200)) == 200


async def test_requests_come_at_the_rate_that_is_asked_for() -> None:
    port = free_port()
    async with child.running("benchmarks.load.upstream", str(port), ready=b"ready"):
        result = await perform(job(port, concurrency=4, requests=20, rate=40.0))
    assert (result.answered, result.failed) == (20, 0)
    assert result.seconds == pytest.approx(20 / 40, rel=0.5)


async def test_one_of_so_many_is_given_up_when_its_answer_begins() -> None:
    port = free_port()
    async with child.running("benchmarks.load.upstream", str(port), ready=b"ready"):
        result = await perform(job(port, requests=20, gap_ms=1, abort_every=4))
    assert (result.answered, result.aborted, result.failed) == (15, 5, 0)
