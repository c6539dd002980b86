"""The live table of the demo."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from epp.demo.scoreboard import Scoreboard
from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Decision
from epp.telemetry.decisions import sentence


def live_table(
    title: str,
    names: Mapping[str, str],
    endpoints: Sequence[Endpoint],
    scoreboard: Scoreboard,
    last: Decision | None,
) -> RenderableType:
    """Render the replicas as the picker sees them and as the traffic has met them.

    `names` are the replicas' names by address.
    """
    table = Table(title=title, title_justify="left", expand=False)
    table.add_column("replica")
    for column in ("answers", "running", "waiting", "KV cache", "first token p50", "read"):
        table.add_column(column, justify="right")
    for endpoint in endpoints:
        name = names[endpoint.address]
        table.add_row(name, *_cells(endpoint, scoreboard, name))
    return Group(table, Text(_why(last, names), overflow="fold"))


def _cells(endpoint: Endpoint, scoreboard: Scoreboard, name: str) -> tuple[str, ...]:
    figures = scoreboard.of(name)
    first = f"{figures.first_token_p50_s * 1000:.0f} ms" if figures.answers else "-"
    load = endpoint.load
    if load is None:
        return str(figures.answers), "?", "?", "?", first, "never"
    return (
        str(figures.answers),
        _known(load.running),
        _known(load.waiting),
        "-" if load.kv_cache_usage is None else f"{load.kv_cache_usage:.0%}",
        first,
        f"{load.age(time.monotonic()) * 1000:.0f} ms ago",
    )


def _known(count: int | None) -> str:
    return "-" if count is None else str(count)


def _why(last: Decision | None, names: Mapping[str, str]) -> str:
    if last is None:
        return "no decision yet"
    text = sentence(last)
    for address, name in names.items():
        text = text.replace(address, name)
    return f"last decision: {text}"


def comparison(rows: Sequence[tuple[str, Scoreboard]], names: Sequence[str]) -> Table:
    """Render what the same traffic met under each way of choosing."""
    table = Table(title="The same traffic, chosen by", title_justify="left")
    table.add_column("")
    for heading, _ in rows:
        table.add_column(heading, justify="right")
    figures = [board.all() for _, board in rows]
    table.add_row("answers", *(str(f.answers) for f in figures))
    table.add_row("errors", *(str(f.errors) for f in figures))
    table.add_row("first token, median", *(f"{f.first_token_p50_s * 1000:.0f} ms" for f in figures))
    table.add_row("first token, p90", *(f"{f.first_token_p90_s * 1000:.0f} ms" for f in figures))
    table.add_row("whole answer, mean", *(f"{f.whole_mean_s * 1000:.0f} ms" for f in figures))
    table.add_row("prompt found in cache", *(f"{f.cached_share:.0%}" for f in figures))
    for name in names:
        table.add_row(f"answers of {name}", *(str(b.of(name).answers) for _, b in rows))
    return table
