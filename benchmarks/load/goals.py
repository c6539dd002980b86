"""What a picker should do under more load than its servers can carry."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

BETTER = 5.0  # times the goodput of a picker that sends all on
CHOOSING_MS, CHOOSING_SHARE = 2.0, 0.99
GROWTH = 0.05  # of the memory, once a third of the requests have come
LEFT_MS = 10.0


class Goal(msgspec.Struct, frozen=True):
    """What was measured, and what it should be."""

    what: str
    measured: str
    goal: str
    met: bool


def table(goals: Sequence[Goal]) -> str:
    """Return them as Markdown."""
    lines = ["| | measured | goal | |", "|---|---|---|---|"]
    lines += [
        f"| {goal.what} | {goal.measured} | {goal.goal} | {'met' if goal.met else 'missed'} |"
        for goal in goals
    ]
    return "\n".join(lines)
