"""Who sends the requests of a trace: it does not tell."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import TypeVar

import msgspec
from msgspec import structs

from benchmarks.routing.trace import Request

T = TypeVar("T")


class Clients(msgspec.Struct, frozen=True):
    """Shares of the conversations; each keeps its client and its priority.

    Who is `absent` has a share, and sends nothing: the others send what they send beside it, at the
    same times.
    """

    flows: Mapping[str, float] = {}
    priorities: Mapping[int, float] = {}
    absent: frozenset[str] = frozenset()

    def mark(self, arrivals: Sequence[Request]) -> list[Request]:
        """Return the requests of those who are there."""
        if not self.flows and not self.priorities:
            return list(arrivals)
        flow, priority = _drawn(self.flows, ""), _drawn(self.priorities, 0)
        marked = [
            structs.replace(request, flow=flow(f"flow {key}"), priority=priority(f"priority {key}"))
            for request in arrivals
            for key in [request.conversation]
        ]
        return [request for request in marked if request.flow not in self.absent]


def _drawn(shares: Mapping[T, float], otherwise: T) -> Callable[[str], T]:
    """Return what draws one of `shares` for a key, always the same one for it."""
    if not shares:
        return lambda _: otherwise
    names, bounds = list(shares), list(accumulate(shares.values()))
    return lambda key: random.Random(key).choices(names, cum_weights=bounds)[0]
