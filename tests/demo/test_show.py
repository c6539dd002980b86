"""The demo itself, made short."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from epp.demo.show import REPLICAS, ShowOptions, show
from epp.demo.traffic import Plan

pytestmark = pytest.mark.envoy

SHORT = Plan(
    conversations=6, turns=2, per_second=6, think_s=0.1, instructions_words=300, answer_tokens=8
)


@pytest.mark.parametrize("mode", ["duplex", "buffered"])
async def test_both_halves_answer_everything_and_are_compared(mode: str) -> None:
    out = io.StringIO()
    options = ShowOptions(mode="duplex" if mode == "duplex" else "buffered", plan=SHORT)
    await show(options, Console(file=out, width=100))
    rows = {
        cells[1].strip(): [cell.strip() for cell in cells[2:4]]
        for line in out.getvalue().splitlines()
        if len(cells := line.split("│")) == 5
    }
    assert rows["answers"] == ["12", "12"]
    assert rows["errors"] == ["0", "0"]
    for choice, expected in ((0, 12), (1, 12)):
        assert sum(int(rows[f"answers of {r.name}"][choice]) for r in REPLICAS) == expected
    assert "decision 1: replica-" in out.getvalue()
