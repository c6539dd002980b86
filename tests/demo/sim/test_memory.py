from __future__ import annotations

import asyncio

from epp.demo.sim.memory import ModelMemory


class Sleeps:
    """Counts the seconds, and takes none."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


async def test_where_all_fit_all_are_there() -> None:
    sleeps = Sleeps()
    memory = ModelMemory(("a", "b"), 0, 5.0, sleeps)
    before = memory.loaded
    await memory.hold("a")
    assert (before, memory.loaded, sleeps.seconds) == (("a", "b"), ("b", "a"), [])


async def test_a_model_takes_its_time_and_the_oldest_makes_room() -> None:
    sleeps = Sleeps()
    memory = ModelMemory(("a", "b", "c"), 2, 5.0, sleeps)
    for model in ("a", "b", "a", "c"):
        await memory.hold(model)
    assert memory.loaded == ("a", "c")
    assert sleeps.seconds == [5.0] * 3


async def test_a_model_is_loaded_once_for_all_who_want_it() -> None:
    sleeps = Sleeps()
    memory = ModelMemory(("a", "b"), 1, 5.0, sleeps)
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(memory.hold("a"))
    assert sleeps.seconds == [5.0]


async def test_a_name_that_is_not_served_loads_nothing() -> None:
    memory = ModelMemory(("a", "b"), 1, 5.0, Sleeps())
    await memory.hold("x")
    assert memory.loaded == ()
