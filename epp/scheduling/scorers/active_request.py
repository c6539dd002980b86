"""Prefer servers to which few requests were sent from here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.producers.inflight_load import INFLIGHT, InFlight
from epp.scheduling.query import Query
from epp.scheduling.registry import scorers


@scorers("active-request-scorer")
class ActiveRequestScorer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Score by the requests in flight through this picker, which are known without delay.

    1 up to `idleThreshold`; above it, in a straight line from `maxBusyScore` at none down to 0 at
    the busiest candidate.
    """

    idle_threshold: Annotated[int, msgspec.Meta(ge=0)] = 0
    max_busy_score: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 1.0

    def needs(self) -> tuple[str, ...]:
        """Read the requests in flight."""
        return (INFLIGHT,)

    def score(self, query: Query, endpoints: Sequence[Endpoint]) -> list[float]:
        """Compare with the busiest candidate."""
        inflight = query.fact(INFLIGHT, InFlight)
        counts = [inflight.at(e) for e in endpoints]
        busiest = max(counts, default=0)
        return [
            1.0
            if count <= self.idle_threshold
            else (busiest - count) / busiest * self.max_busy_score
            for count in counts
        ]
