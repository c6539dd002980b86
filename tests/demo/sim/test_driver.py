from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from epp.demo.sim.driver import LARGEST_LAG_S, Driver, Ticket
from epp.demo.sim.engine import Engine
from epp.demo.sim.meter import Meter
from tests.demo.sim.play import engine, job

pytestmark = pytest.mark.looptime


@asynccontextmanager
async def driving(
    engine: Engine, time_scale: float = 1.0, late_s: float = 0.0
) -> AsyncIterator[Driver]:
    class Late(Driver):
        async def sleep(self, simulated_s: float) -> None:
            await super().sleep(simulated_s + late_s)

    driver = Late(engine, Meter(), time_scale)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(driver.run())
        yield driver
        running.cancel()


async def times(ticket: Ticket) -> list[float]:
    loop = asyncio.get_running_loop()
    begin = loop.time()
    return [round(loop.time() - begin, 3) async for _ in ticket.tokens()]


async def test_tokens_come_when_their_steps_end() -> None:
    async with driving(engine()) as driver:
        assert await times(driver.submit(job("abc", max_tokens=3))) == [1, 2, 3]


async def test_time_can_be_made_to_run_faster() -> None:
    async with driving(engine(), time_scale=10) as driver:
        assert await times(driver.submit(job("abc", max_tokens=3))) == [0.1, 0.2, 0.3]


async def test_an_idle_driver_waits_for_the_next_request() -> None:
    async with driving(engine()) as driver:
        await times(driver.submit(job("abc")))
        await asyncio.sleep(100)
        assert await times(driver.submit(job("abc", max_tokens=2))) == [1, 2]


async def test_a_request_that_comes_during_a_step_waits_for_its_end() -> None:
    async with driving(engine()) as driver:
        first = driver.submit(job("abc", max_tokens=2))
        await asyncio.sleep(0.25)
        assert await times(driver.submit(job("xyz"))) == [1.75]
        assert await times(first) == [0, 0]


@pytest.mark.parametrize(
    ("late_s", "expected"),
    [(0.02, [1.02, 2.02, 3.02]), (0.9, [1.9, 2.9, 3.9]), (1.5, [2.5, 5.0, 7.5])],
    ids=["timers that round", "a machine that pauses", "a machine that does not keep up"],
)
async def test_lateness_is_made_up_for_while_it_is_short(
    late_s: float, expected: list[float]
) -> None:
    async with driving(engine(), late_s=late_s) as driver:
        assert await times(driver.submit(job("abc", max_tokens=3))) == expected
        told = driver.lateness
        assert (told.steps, round(told.worked_s), round(told.late_s, 3)) == (3, 3, 3 * late_s)
        assert round(told.lost_s, 3) == (3 * late_s if late_s > LARGEST_LAG_S else 0.0)


async def test_who_came_after_a_step_that_is_made_up_for_is_not_in_it() -> None:
    async with driving(engine(), late_s=0.9) as driver:
        first = driver.submit(job("abc", max_tokens=2))
        await asyncio.sleep(1.5)  # the first step ended half a second ago; it will be seen at 1.9
        second = driver.submit(job("xyz", at=driver.now()))
        assert await times(second) == [2.4]  # in the step from 2 to 3, seen at 3.9
        assert await times(first) == [0, 0]


async def test_a_closed_ticket_ends_and_frees_the_engine() -> None:
    busy = engine()
    async with driving(busy) as driver:
        with driver.submit(job("abc", max_tokens=30)) as ticket:
            await anext(ticket.tokens())
            assert len(busy.running) == 1
        assert len(await times(ticket)) == 0
        assert not ticket.ended
        assert (len(busy.running), busy.blocks.held) == (0, 0)


async def test_closing_a_ticket_that_has_ended_changes_nothing() -> None:
    async with driving(engine()) as driver:
        ticket = driver.submit(job("abc"))
        await times(ticket)
        assert ticket.ended
        ticket.close()


async def test_aborted_requests_are_metered() -> None:
    meter = Meter()
    Driver(engine(), meter).submit(job("abc")).close()
    assert meter.ended == {"abort": 1}
