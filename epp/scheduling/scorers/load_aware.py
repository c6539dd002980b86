"""Prefer short queues, by an absolute measure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.query import Query
from epp.scheduling.readings import readings
from epp.scheduling.registry import scorers


@scorers("load-aware-scorer")
class LoadAwareScorer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Score by the requests that wait at the server: 0.5 for none, 0 for `threshold` or more.

    A score does not depend on the other candidates. It ends at 0.5, so that with equal weights an
    idle server does not outbid a cached prefix.
    """

    threshold: Annotated[int, msgspec.Meta(ge=1)] = 128

    def needs(self) -> tuple[str, ...]:
        """Read no facts."""
        return ()

    def score(self, query: Query, endpoints: Sequence[Endpoint]) -> list[float]:
        """Fall in a straight line to the threshold."""
        waiting = readings(query, endpoints, lambda load: load.waiting)
        return [0.0 if count is None else self._rate(count) for count in waiting]

    def _rate(self, waiting: int) -> float:
        return 0.5 * (1.0 - min(max(waiting, 0), self.threshold) / self.threshold)
