from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from epp.app.readiness import Readiness


class Told:
    """A health service that remembers."""

    def __init__(self) -> None:
        self.ready: list[bool] = []

    def set_ready(self, ready: bool) -> None:
        self.ready.append(ready)


@asynccontextmanager
async def telling(readiness: Readiness) -> AsyncIterator[Told]:
    told: Any = Told()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(readiness.run(told))
        yield told
        task.cancel()


@pytest.mark.parametrize(
    ("known", "leading", "ready"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
async def test_it_takes_a_pool_and_the_lead(known: bool, leading: bool, ready: bool) -> None:
    readiness = Readiness()
    readiness.know(known)
    readiness.lead(leading)
    async with telling(readiness) as told:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert told.ready == [ready]
    assert readiness.first.is_set() == ready


async def test_the_first_time_is_told_once_and_for_all() -> None:
    readiness = Readiness()
    async with telling(readiness) as told:
        readiness.know(True)
        await readiness.first.wait()
        readiness.know(False)
        while told.ready[-1]:
            await asyncio.sleep(0)
    assert readiness.first.is_set()
    assert told.ready[0]
