from __future__ import annotations

import asyncio
import math

import pytest

from epp.app.alarm import Alarm


def alarm() -> tuple[Alarm, list[float]]:
    rung: list[float] = []
    made = Alarm(asyncio.get_running_loop().time)
    made.ring = rung.append
    return made, rung


@pytest.mark.looptime(start=0)
async def test_it_rings_at_the_earliest_time_that_was_set() -> None:
    made, rung = alarm()
    for at in (5.0, 2.0, 9.0, math.inf):
        made.set(at)
    await asyncio.sleep(20.0)
    assert rung == [2.0]


@pytest.mark.looptime(start=0)
async def test_what_is_past_rings_at_once() -> None:
    made, rung = alarm()
    await asyncio.sleep(3.0)
    made.set(1.0)
    await asyncio.sleep(0.0)
    await asyncio.sleep(0.0)
    assert rung == [3.0]


@pytest.mark.looptime(start=0)
async def test_it_can_be_set_by_what_it_rings_for() -> None:
    made, rung = alarm()

    def again(now: float) -> None:
        rung.append(now)
        if now < 3.0:
            made.set(now + 1.0)

    made.ring = again
    made.set(1.0)
    await asyncio.sleep(10.0)
    assert rung == [1.0, 2.0, 3.0]


@pytest.mark.looptime(start=0)
async def test_stopped_it_is_silent() -> None:
    made, rung = alarm()
    made.set(1.0)
    made.stop()
    await asyncio.sleep(5.0)
    assert rung == []
