"""Results as a page that says how they came about."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from benchmarks.conditions import conditions
from benchmarks.routing.estimate import Estimate, estimate
from benchmarks.routing.measure import Measured
from benchmarks.routing.plot import Panel, draw

RESULTS = Path(__file__).parent / "results"

_COLUMNS = (  # field, title, factor, digits
    ("goodput", "goodput", 1, 3),
    ("ttft_p50", "TTFT p50, s", 1, 3),
    ("ttft_p90", "p90", 1, 3),
    ("ttft_p99", "p99", 1, 2),
    ("tpot_p50", "TPOT p50, ms", 1000, 1),
    ("tpot_p90", "p90", 1000, 1),
    ("tpot_p99", "p99", 1000, 0),
    ("hit_rate", "hit rate", 1, 3),
    ("preempted", "preempted", 1, 0),
    ("refused", "refused", 1, 3),
)

_PICTURED = {
    "goodput": ("goodput", 1),
    "ttft_p90": ("TTFT p90, s", 1),
    "tpot_p90": ("TPOT p90, ms", 1000),
}


class Page(msgspec.Struct, frozen=True):
    """A title, what was run, a table, and the figures of every seed."""

    title: str
    facts: Mapping[str, str]
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    raw: Mapping[str, object]
    panels: Sequence[Panel]

    def text(self) -> str:
        """Return it as Markdown."""
        facts = "\n".join(f"- {key}: {value}" for key, value in self.facts.items())
        return f"# {self.title}\n\n{facts}\n\n{table(self.head, self.rows)}\n"

    def write(self, name: str, folder: Path = RESULTS) -> None:
        """Write the page, the figures as JSON, and their picture into `folder`."""
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.md").write_text(self.text())
        figures = {"title": self.title, "facts": self.facts, "seeds": msgspec.to_builtins(self.raw)}
        (folder / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n")
        draw(self.panels, folder / f"{name}.svg")


def facts(trace: str, seeds: Sequence[int], extra: Mapping[str, str]) -> dict[str, str]:
    """Return what every page says of its figures."""
    return {
        **conditions("benchmarks.routing"),
        "trace": trace,
        "seeds": f"{', '.join(map(str, seeds))}; mean ± half of the 95 % interval (Student's t)",
        **extra,
    }


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def titles() -> list[str]:
    """Return the heads of the columns of `cells`."""
    return [*(title for _, title, _, _ in _COLUMNS), "goodput of"]


def cells(runs: Sequence[Measured]) -> list[str]:
    """Return the means of the runs of one policy."""
    return [
        *(
            estimate([factor * getattr(run, field) for run in runs]).text(digits)
            for field, _, factor, digits in _COLUMNS
        ),
        ", ".join(
            f"{name}: {estimate([run.groups.get(name, 0.0) for run in runs]).text(3)}"
            for name in runs[0].groups
        ),
    ]


def panels(runs: Mapping[str, Mapping[str, Sequence[Measured]]]) -> list[Panel]:
    """Return what is worth a picture; `runs` are by scenario and policy."""
    return [
        Panel(title, {group: _heights(by, field, factor) for group, by in runs.items()})
        for field, (title, factor) in _PICTURED.items()
    ]


def _heights(
    runs: Mapping[str, Sequence[Measured]], field: str, factor: float
) -> dict[str, Estimate]:
    return {
        name: estimate([factor * getattr(run, field) for run in done])
        for name, done in runs.items()
    }
