from __future__ import annotations

import asyncio

from epp.discovery.tasks import start


async def wait() -> None:
    await asyncio.sleep(0)


async def test_a_task_runs_in_its_group() -> None:
    async with asyncio.TaskGroup() as group:
        task = start(group, wait())
        assert task is not None
    assert task.done()


async def test_a_group_that_has_ended_takes_no_task_and_says_nothing() -> None:
    async with asyncio.TaskGroup() as group:
        pass
    assert start(group, wait()) is None
