from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from epp.app.doors import Doors, plan
from epp.server.errors import ListenError
from epp.server.processor import ExternalProcessor


def test_each_pool_has_its_own_port() -> None:
    planned = plan([("a/x", 9001), ("a/y", 9002)], 9000, "")
    assert planned.ports == {9001: "a/x", 9002: "a/y"}
    assert planned.homeless == {}


def test_the_default_pool_has_the_default_port_besides() -> None:
    planned = plan([("a/x", 9001), ("a/y", 9002)], 9000, "a/y")
    assert planned.ports == {9000: "a/y", 9001: "a/x", 9002: "a/y"}


@pytest.mark.parametrize(("default", "winner"), [("", "a/x"), ("a/y", "a/y")])
def test_a_port_that_two_pools_want_goes_to_the_default_or_the_first(
    default: str, winner: str
) -> None:
    planned = plan([("a/y", 9001), ("a/x", 9001)], 9000, default)
    assert planned.ports[9001] == winner
    assert planned.homeless == {({"a/x", "a/y"} - {winner}).pop(): 9001}


def test_a_default_pool_that_is_not_there_takes_nothing() -> None:
    assert plan([("a/x", 9001)], 9000, "a/gone").ports == {9001: "a/x"}


class Ports:
    """Ports that can be taken, and what is open."""

    def __init__(self) -> None:
        self.open: dict[int, ExternalProcessor] = {}
        self.taken: set[int] = set()

    async def listen(self, port: int, processor: ExternalProcessor) -> Any:
        if port in self.taken:
            raise ListenError(f"cannot listen on {port}")
        self.open[port] = processor

        async def drain(_: float) -> None:
            del self.open[port]

        return SimpleNamespace(port=port, drain=drain)


def pool(name: str) -> Any:
    return SimpleNamespace(name=name, converse=lambda: name)


async def until(true: Any) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.001)


async def test_ports_open_and_close_as_it_is_wanted_and_can_lead_elsewhere() -> None:
    ports = Ports()
    doors = Doors(ports.listen)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(doors.run())
        doors.want({1: pool("a"), 2: pool("b")})
        await until(lambda: set(ports.open) == {1, 2})
        door = ports.open[1]
        assert door._start("") == "a"  # type: ignore[comparison-overlap]
        doors.want({1: pool("c")})
        await until(lambda: set(ports.open) == {1})
        assert ports.open[1] is door
        assert door._start("") == "c"  # type: ignore[comparison-overlap]
        task.cancel()


async def test_a_port_that_is_taken_is_tried_again_and_the_others_are_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("epp.app.doors.RETRY_S", 0.01)
    ports = Ports()
    ports.taken = {1}
    doors = Doors(ports.listen)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(doors.run())
        doors.want({1: pool("a"), 2: pool("b")})
        await until(lambda: set(ports.open) == {2})
        ports.taken.clear()
        await until(lambda: set(ports.open) == {1, 2})
        task.cancel()


async def test_a_drain_is_of_all_ports() -> None:
    ports = Ports()
    doors = Doors(ports.listen)
    await doors.open(1, pool("a"))
    await doors.open(2, pool("b"))
    await doors.drain(0)
    assert ports.open == {}
