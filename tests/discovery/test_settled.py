from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import pytest

from epp.discovery.settled import Settled
from epp.pool.endpoint import Endpoint

A, B, C = (Endpoint(f"10.0.0.{i}:80") for i in (1, 2, 3))
Times = list[tuple[float, list[Endpoint]]]


@asynccontextmanager
async def settling() -> AsyncIterator[tuple[Settled, Times]]:
    times: Times = []

    def publish(endpoints: Sequence[Endpoint]) -> None:
        times.append((round(asyncio.get_running_loop().time(), 3), list(endpoints)))

    settled = Settled(publish, 0.1)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(settled.run())
        yield settled, times
        task.cancel()


@pytest.mark.looptime
async def test_a_change_after_quiet_is_published_at_once() -> None:
    async with settling() as (settled, times):
        await asyncio.sleep(1)
        settled.offer(lambda: (A,))
        await asyncio.sleep(1)
        settled.offer(tuple)
        await asyncio.sleep(1)
    assert times == [(1.0, [A]), (2.0, [])]


@pytest.mark.looptime
async def test_a_burst_is_its_first_set_and_then_its_last() -> None:
    made: list[tuple[Endpoint, ...]] = []

    def make(*endpoints: Endpoint) -> tuple[Endpoint, ...]:
        made.append(endpoints)
        return endpoints

    async with settling() as (settled, times):
        for endpoints in ((A,), (A, B), (A, B, C), (B, C)):
            settled.offer(partial(make, *endpoints))
            await asyncio.sleep(0.02)
        await asyncio.sleep(1)
    assert times == [(0.0, [A]), (0.1, [B, C])]
    assert made == [(A,), (B, C)]


@pytest.mark.looptime
async def test_the_same_set_again_is_no_news() -> None:
    async with settling() as (settled, times):
        settled.offer(lambda: (A,))
        await asyncio.sleep(0.05)
        settled.offer(lambda: (B,))
        settled.offer(lambda: (A,))
        await asyncio.sleep(1)
    assert times == [(0.0, [A])]


@pytest.mark.looptime
async def test_an_empty_set_is_news_if_it_is_the_first() -> None:
    async with settling() as (settled, times):
        settled.offer(tuple)
        await asyncio.sleep(1)
    assert times == [(0.0, [])]


@pytest.mark.looptime
async def test_what_was_never_offered_cannot_be_withdrawn() -> None:
    async with settling() as (settled, times):
        settled.withdraw()
        await asyncio.sleep(1)
        assert times == []
        settled.offer(lambda: (A,))
        settled.withdraw()  # before anybody heard of it
        await asyncio.sleep(1)
    assert times == [(1.0, [])]
