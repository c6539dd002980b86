"""Prefer servers that work on few requests."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.query import Query
from epp.scheduling.readings import fewest_best, neutral, readings
from epp.scheduling.registry import scorers


@scorers("running-requests-size-scorer")
class RunningRequestsScorer(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"
):
    """Score by the requests that the server works on: 1 for the fewest, 0 for the most.

    A server that does not tell them gets what the others have on average.
    """

    def needs(self) -> tuple[str, ...]:
        """Read no facts."""
        return ()

    def score(self, query: Query, endpoints: Sequence[Endpoint]) -> list[float]:
        """Scale between the fewest and the most."""
        running = readings(query, endpoints, lambda load: load.running)
        scores = zip(running, fewest_best(running), strict=True)
        return neutral(query, endpoints, [s if count is not None else None for count, s in scores])
