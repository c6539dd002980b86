from __future__ import annotations

import asyncio
import io

from rich.console import Console

from epp.demo.scoreboard import Scoreboard
from epp.demo.watch import LINE_EVERY, Watch
from epp.pool.endpoint import Endpoint
from epp.pool.store import Store
from epp.scheduling.decision import Decision

POD = Endpoint("10.0.0.1:8000")
DECISION = Decision(0.0, "default", (POD,), (POD,), totals=(0.0,))
NAMES = {"10.0.0.1:8000": "one"}


async def watched(console: Console, decisions: int) -> None:
    watch, store = Watch(NAMES, console), Store()
    store.replace([POD])
    async with asyncio.TaskGroup() as group:
        task = group.create_task(watch.run(store, Scoreboard()))
        await asyncio.sleep(0)
        for _ in range(decisions):
            watch.decided(DECISION, "m")
        task.cancel()


async def test_without_a_terminal_some_decisions_are_lines() -> None:
    out = io.StringIO()
    await watched(Console(file=out, width=80), LINE_EVERY + 1)
    lines = out.getvalue().splitlines()
    assert [line.split(":")[0].strip() for line in lines] == ["decision 1", "decision 21"]
    assert "one, 10.0.0.1:8000" in lines[0]


async def test_on_a_terminal_the_table_is_drawn_and_left_with_the_last_decision() -> None:
    out = io.StringIO()
    await watched(Console(file=out, width=80, force_terminal=True), 1)
    assert "no decision yet" in out.getvalue()
    assert "last decision: one" in out.getvalue()
