"""Prefer servers that have answered fast lately."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.producers.observed_latency import OBSERVED_LATENCY, ObservedLatency
from epp.scheduling.query import Query
from epp.scheduling.registry import scorers

_Weight = Annotated[float, msgspec.Meta(ge=0.0)]
_AS_FAST = 1.1  # times the fastest: a smaller difference is noise


@scorers("observed-latency-scorer")
class ObservedLatencyScorer(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"
):
    """Score by the mean times to the first token and between tokens that each endpoint took lately:
    1 for the fastest and those within a tenth of it, 0.5 for one that takes twice as long.

    An endpoint that was not asked for a while counts as the pool does, and is tried again. Needs no
    metrics of the servers: good for those that have none.
    """

    ttft_weight: _Weight = 0.5
    itl_weight: _Weight = 0.5

    def needs(self) -> tuple[str, ...]:
        """Read the averages."""
        return (OBSERVED_LATENCY,)

    def score(self, query: Query, endpoints: Sequence[Endpoint]) -> list[float]:
        """Compare each endpoint with the fastest."""
        seen = query.fact(OBSERVED_LATENCY, ObservedLatency)
        whole = self.ttft_weight + self.itl_weight
        if not whole > 0.0:
            return [1.0] * len(endpoints)
        ttft = _compared(seen.ttft.of(endpoints, query.now), len(endpoints))
        itl = _compared(seen.itl.of(endpoints, query.now), len(endpoints))
        return [
            (self.ttft_weight * one + self.itl_weight * other) / whole
            for one, other in zip(ttft, itl, strict=True)
        ]


def _compared(seconds: list[float] | None, count: int) -> list[float]:
    if not seconds:
        return [1.0] * count
    enough = _AS_FAST * min(seconds)
    return [1.0 if one <= enough else enough / one for one in seconds]
