"""The highest load that a policy carries within the targets."""

from __future__ import annotations

import msgspec
from msgspec import structs

from benchmarks.routing.case import Case
from benchmarks.routing.trace import Trace

GOODPUT = 0.9  # share of the requests that must meet the targets
STEP_QPS = 0.02


class Search(msgspec.Struct, frozen=True):
    """Where to look. `case` has the policy and the seed; its load is replaced."""

    case: Case
    low: float
    high: float


def highest_load(search: Search, trace: Trace) -> float:
    """Return the requests a second, found by halving: more load does not help.

    Outside of the range, its ends: a result that equals one of them says that it was too narrow.
    """
    low, high = search.low, search.high
    while high - low > STEP_QPS:
        middle = (low + high) / 2
        if structs.replace(search.case, qps=middle).run(trace).goodput >= GOODPUT:
            low = middle
        else:
            high = middle
    return (low + high) / 2
