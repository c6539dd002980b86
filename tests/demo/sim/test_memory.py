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


async def test_two_that_are_loaded_at_once_are_not_more_than_fit() -> None:
    memory = ModelMemory(("a", "b", "c"), 1, 5.0, Sleeps())
    await memory.hold("a")
    async with asyncio.TaskGroup() as group:
        group.create_task(memory.hold("b"))
        group.create_task(memory.hold("c"))
    assert len(memory.loaded) == 1


async def test_a_load_that_is_given_up_is_done_by_the_next_who_waits() -> None:
    sleeps = Sleeps()
    memory = ModelMemory(("a", "b"), 1, 5.0, sleeps)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(memory.hold("a"))
        for _ in range(3):
            group.create_task(memory.hold("a"))
        await asyncio.sleep(0)
        first.cancel()
    assert memory.loaded == ("a",)
    assert sleeps.seconds == [5.0, 5.0]
