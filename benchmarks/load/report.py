"""What a comparison found, as a table and as data."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from benchmarks.conditions import spread
from benchmarks.load.measure import Figures, NotServed
from benchmarks.load.rows import Idle, Row

Found = Figures | NotServed
LOADED = (
    *("row", "picker", "picker µs", "Envoy µs", "others µs", "requests/s", "p50 ms", "p90 ms"),
    *("p99 ms", "messages", "RSS MiB", "failed", "ratio"),
)
IDLE = ("row", "picker", "cores", "scrapes/s of a replica", "of the slowest", "RSS MiB", "ratio")


_DIGITS = {
    "picker_us": 0,
    "envoy_us": 0,
    "around_us": 0,
    "rate": 0,
    "p50_ms": 2,
    "p90_ms": 2,
    "p99_ms": 2,
    "messages": 1,
    "rss_mib": 0,
}


class Report:
    """Figures by row and picker, round by round."""

    def __init__(self, rows: Sequence[Row], pickers: Sequence[str], against: str = "") -> None:
        self._rows = rows
        self._pickers = pickers
        self._against = against
        self._found: dict[tuple[str, str], list[Found]] = {}

    def add(self, row: Row, picker: str, found: Found) -> None:
        """Take one measurement in; rounds must come in order."""
        self._found.setdefault((row.name, picker), []).append(found)

    def ratios(self, row: Row, picker: str) -> list[float]:
        """Return the headline against the reference's, round by round.

        At a row that the reference does not serve its twin's figures are taken.
        """
        theirs = self._figures(row.name, self._against) or self._figures(row.twin, self._against)
        if picker == self._against:
            return []
        pairs = zip(self._figures(row.name, picker), theirs, strict=False)
        values = [(getattr(a, row.headline), getattr(b, row.headline)) for a, b in pairs]
        return [ours / other for ours, other in values if other]

    def table(self) -> str:
        """Return Markdown: rows with load, then idle ones; medians with lowest and highest."""
        loaded = [self._loaded(row, name) for row, name in self._cells(idle=False)]
        idle = [self._idle(row, name) for row, name in self._cells(idle=True)]
        tables = [_markdown(LOADED, loaded), _markdown(IDLE, idle)]
        return "\n".join(table for table in tables if table)

    def data(self) -> list[dict[str, Any]]:
        """Return the same and every round's figures, ready for JSON."""
        return [
            {
                "row": row.name,
                "title": row.title,
                "headline": row.headline,
                "picker": picker,
                "rounds": msgspec.to_builtins(self._found.get((row.name, picker), [])),
                "medians": self._medians(row, picker),
                "ratio": _summary(self.ratios(row, picker)),
            }
            for row in self._rows
            for picker in self._pickers
        ]

    def _cells(self, *, idle: bool) -> Iterator[tuple[Row, str]]:
        for row in self._rows:
            if isinstance(row.work, Idle) == idle:
                yield from ((row, picker) for picker in self._pickers)

    def _figures(self, row: str, picker: str) -> list[Figures]:
        return [f for f in self._found.get((row, picker), []) if isinstance(f, Figures)]

    def _medians(self, row: Row, picker: str) -> Mapping[str, float]:
        figures = self._figures(row.name, picker)
        names = [n for n in Figures.__struct_fields__ if n not in {"problem", "requests", "failed"}]
        return {n: statistics.median(getattr(f, n) for f in figures) for n in names if figures}

    def _loaded(self, row: Row, picker: str) -> list[str]:
        figures = self._figures(row.name, picker)
        if not figures:
            problems = {f.problem for f in self._found.get((row.name, picker), []) if f.problem}
            return [row.name, picker, f"not served: {', '.join(sorted(problems))}"]
        cells = [_cell(figures, name, digits) for name, digits in _DIGITS.items()]
        failed = str(sum(f.failed for f in figures))
        cells += [failed, self._ratio(row, picker)]
        return [row.name, picker, *cells]

    def _idle(self, row: Row, picker: str) -> list[str]:
        figures = self._figures(row.name, picker)
        digits = {"picker_cores": 4, "scrapes": 2, "slowest": 2, "rss_mib": 0}
        cells = [_cell(figures, name, n) for name, n in digits.items()]
        return [row.name, picker, *cells, self._ratio(row, picker)]

    def _ratio(self, row: Row, picker: str) -> str:
        ratios = self.ratios(row, picker)
        twin = "" if self._figures(row.name, self._against) else f" (its {row.twin})"
        return f"{row.headline} {spread(ratios, 3)}{twin}" if ratios else ""


def _cell(figures: Sequence[Figures], name: str, digits: int) -> str:
    return spread([getattr(f, name) for f in figures], digits) if figures else ""


def _summary(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    return {"median": statistics.median(values), "lowest": min(values), "highest": max(values)}


def _markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    if not lines:
        return ""
    padded = [[*line, *[""] * (len(head) - len(line))] for line in lines]
    rule = ["---"] * len(head)
    return "".join(f"| {' | '.join(line)} |\n" for line in [head, rule, *padded])
