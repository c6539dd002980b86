"""What the demo shows while traffic runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from rich.console import Console, RenderableType
from rich.live import Live

from epp.demo.scoreboard import Scoreboard
from epp.demo.table import live_table
from epp.pool.store import Store
from epp.scheduling.decision import Decision
from epp.telemetry.decisions import sentence

REFRESH_S = 0.25
LINE_EVERY = 20  # decisions, where there is no terminal to redraw


class Watch:
    """A live table on a terminal; elsewhere a line for every so many decisions."""

    def __init__(self, names: Mapping[str, str], console: Console) -> None:
        self._names = names
        self._console = console
        self._last: Decision | None = None
        self._decisions = 0

    def decided(self, decision: Decision, _model: str) -> None:
        """Take note of a decision."""
        self._last = decision
        self._decisions += 1
        if not self._console.is_terminal and self._decisions % LINE_EVERY == 1:
            name = self._names[decision.winner.address]
            self._console.print(
                f"  decision {self._decisions}: {name}, {sentence(decision)}",
                highlight=False,
                soft_wrap=True,
            )

    async def run(self, store: Store, board: Scoreboard) -> None:
        """Draw until cancelled, and once more at the end."""
        if not self._console.is_terminal:
            await asyncio.Event().wait()
        with Live(console=self._console, auto_refresh=False) as live:
            try:
                while True:
                    live.update(self._table(store, board), refresh=True)
                    await asyncio.sleep(REFRESH_S)
            finally:
                live.update(self._table(store, board), refresh=True)

    def _table(self, store: Store, board: Scoreboard) -> RenderableType:
        endpoints = store.snapshot().endpoints
        return live_table(
            "The same traffic with the picker", self._names, endpoints, board, self._last
        )
