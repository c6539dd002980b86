"""Prefer short queues."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.query import Query
from epp.scheduling.readings import fewest_best, readings
from epp.scheduling.registry import scorers


@scorers("queue-scorer")
class QueueScorer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Score by the requests that wait at the server: 1 for the shortest queue, 0 for the longest.

    Relative to the candidates: one request more or less counts in full when all queues are short.
    """

    def needs(self) -> tuple[str, ...]:
        """Read no facts."""
        return ()

    def score(self, query: Query, endpoints: Sequence[Endpoint]) -> list[float]:
        """Scale between the shortest and the longest queue."""
        return fewest_best(readings(query, endpoints, lambda load: load.waiting))
