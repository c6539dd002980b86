"""What becomes of those who wait when they give up, and when the picker is told to end."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlencode

import httpx
import msgspec

from benchmarks.load.client import Client, completion
from benchmarks.load.stage import Stage, Transport, stage
from epp.demo.bootstrap import Mode

REPLICAS, SPEED = 4, 0.25  # so slow that a burst takes half a minute
PROMPT_TOKENS, ANSWER_TOKENS = 2000, 4
SPARE = 50  # requests more than are missing in the line: some go on while others come
PAUSE_S = 0.002  # between pages: the picker does nothing else while it writes one
SETTLED_S = 1.0  # after a burst
PATIENCE_S = 120.0
IN_LINE_S = 0.1  # after asking, unless a server could take the request at once
NEVER_S = 1.0  # whoever has not left by then had not waited

_SIZE, _ENDS = "llm_d_epp_flow_control_queue_size", "llm_d_epp_flow_control_requests_total"
_QUEUE = re.compile(rf"^{_SIZE}{{.*}} (\S+)$", re.MULTILINE)
_LEFT = re.compile(rf'^{_ENDS}{{.*outcome="EvictedContextCancelled".*}} (\S+)$', re.MULTILINE)
_ALONE = urlencode([("name[]", _SIZE), ("name[]", _ENDS)])  # the whole page takes 10 ms


class Patience(msgspec.Struct, frozen=True):
    """What was seen."""

    left_after_ms: Sequence[float]  # from a client's going to its request's, and being told of it
    page_ms: Sequence[float]  # of that, being told: the metrics page just before
    waiting: int  # when the picker was told to end
    asked: int  # requests that nobody gave up
    answered: int  # of those, with 200 and to the end
    drained_s: float  # from being told to the last answer


class Page:
    """The picker's metrics, asked for often."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url

    async def count(self, pattern: re.Pattern[str]) -> int:
        """Return the sum of a metric's values."""
        text = (await self._client.get(self._url)).text
        return sum(int(float(value)) for value in pattern.findall(text))

    async def until(self, pattern: re.Pattern[str], least: int) -> None:
        """Return once the sum is as high."""
        await asyncio.sleep(PAUSE_S)
        while await self.count(pattern) < least:
            await asyncio.sleep(PAUSE_S)


async def patience(
    flags: Sequence[str], *, mode: Mode, transport: Transport, waiting: int, leavers: int
) -> Patience:
    """Have so many wait, some give up, and the picker end."""
    drain = f"--drain-timeout={PATIENCE_S:g}"
    async with (
        stage([*flags, drain], REPLICAS, speed=SPEED, mode=mode, transport=transport) as on,
        httpx.AsyncClient() as http,
    ):
        page = Page(http, f"http://127.0.0.1:{on.metrics_port}/metrics?{_ALONE}")
        clients: list[Client] = []
        await _fill(on.port, page, clients, waiting)
        left_ms, page_ms = await _leave(on.port, page, leavers)
        queue = await _fill(on.port, page, clients, waiting)
        answered, took_s = await _end(on, clients)
        return Patience(left_ms, page_ms, queue, len(clients), answered, took_s)


async def _fill(port: int, page: Page, clients: list[Client], waiting: int) -> int:
    """Add clients until so many wait; returns how many do."""
    while (queue := await page.count(_QUEUE)) < waiting:
        first = len(clients)
        clients += await _burst(port, range(first, first + waiting - queue + SPARE))
        await asyncio.sleep(SETTLED_S)
    return queue


async def _burst(port: int, numbers: Sequence[int]) -> list[Client]:
    clients = [Client(_request(number)) for number in numbers]
    for client in clients:
        await client.connect(port)
    return clients


def _request(number: int) -> bytes:
    prompt = f"{number:08x}" * (PROMPT_TOKENS // 2)  # two tokens each
    return completion(prompt, ANSWER_TOKENS)


async def _leave(port: int, page: Page, count: int) -> tuple[list[float], list[float]]:
    """Return how long after their clients' end requests were known to be gone, and of that a page.

    In milliseconds.
    """
    took_ms: list[float] = []
    page_ms: list[float] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(took_ms) < count:
            began = time.perf_counter()
            gone = await page.count(_LEFT)
            page_ms.append(_ms_since(began))
            [client] = await _burst(port, [-1 - len(took_ms)])
            await asyncio.sleep(IN_LINE_S)
            began = time.perf_counter()
            client.give_up()
            with suppress(TimeoutError):
                async with asyncio.timeout(NEVER_S):
                    await page.until(_LEFT, gone + 1)
                    took_ms.append(_ms_since(began))
    return took_ms, page_ms


def _ms_since(began: float) -> float:
    return 1000 * (time.perf_counter() - began)


async def _end(on: Stage, clients: Sequence[Client]) -> tuple[int, float]:
    """Return how many were answered after SIGTERM, and the seconds until the last was."""
    began = time.perf_counter()
    os.kill(on.pids["picker"], signal.SIGTERM)
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            for client in clients:
                await client.done.wait()
    took_s = time.perf_counter() - began
    return sum(client.seen.status == 200 for client in clients), took_s
