"""Scores by costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from epp.scheduling.decision import Details


class Cheapness(Sequence[float]):
    """Costs as scores: 1 for the lowest, 0 for the highest, in between by their distance.

    They are worked out when the first one is read: a picker that only takes the best, of one
    scorer, goes by the costs, and of a large pool that is a fifth of the whole choice.
    """

    __slots__ = ("_scores", "costs", "details")

    def __init__(self, costs: Sequence[float], details: Details) -> None:
        self.costs = costs  # finite, and as many as there are candidates
        self.details = details
        self._scores: Sequence[float] = ()

    def __repr__(self) -> str:
        return f"<Cheapness {list(self)}>"

    def __len__(self) -> int:
        return len(self.costs)

    def __iter__(self) -> Iterator[float]:
        return iter(self._read())

    @overload
    def __getitem__(self, index: int) -> float: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[float]: ...
    def __getitem__(self, index: int | slice) -> float | Sequence[float]:
        return self._read()[index]

    def _read(self) -> Sequence[float]:
        if not self._scores:
            self._scores = _scores(self.costs)
        return self._scores


def _scores(costs: Sequence[float]) -> list[float]:
    lowest, highest = min(costs, default=0.0), max(costs, default=0.0)
    span = highest - lowest
    if not span > 0.0:
        return [1.0] * len(costs)
    return [(highest - cost) / span for cost in costs]
