"""Prefer servers that answer as fast as the request wants it."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Annotated, Literal

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.gate.targets import Targets
from epp.scheduling.ledger.workload import Workload
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.producers.approx_prefix_cache import APPROX_PREFIX
from epp.scheduling.producers.work_ledger import LEDGER
from epp.scheduling.query import Query
from epp.scheduling.registry import scorers

_Weight = Annotated[float, msgspec.Meta(ge=0.0)]
_NONE = Targets()
_LEAST_SCORE = 0.01  # of one that is to be taken: those that are not have 0


class Headroom(msgspec.Struct, frozen=True):
    """Seconds that are left at one endpoint; below 0: too late by so much."""

    ttft_s: float
    tpot_s: float

    @property
    def tier(self) -> int:
        """0 where both objectives are met, then by how bad it is to miss which."""
        return (self.tpot_s < 0.0) + 2 * (self.ttft_s < 0.0)


@scorers("latency-scorer")
class LatencyScorer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Score by the headroom between the predicted times and those that the headers
    `x-llm-d-slo-ttft-ms` and `x-llm-d-slo-tpot-ms` want.

    Where some endpoints meet both, only they score: with the strategy `least` the one that just
    does gets 1, which keeps the fastest for those who need them; with `most` the fastest. Where
    none does, the idle ones score, or else those that miss only the time of a token, or only the
    first token, or both; 1 for the least delay. Without the headers, the fastest gets 1.
    """

    ttft_weight: _Weight = 0.8
    tpot_weight: _Weight = 0.2
    headroom_selection_strategy: Literal["least", "most"] = "least"
    prefix_match_info_producer_name: Annotated[str, msgspec.Meta(min_length=1)] = APPROX_PREFIX

    def needs(self) -> tuple[str, ...]:
        """Read the ledger, and the matches of the named producer."""
        return (self.prefix_match_info_producer_name, LEDGER)

    def score(self, query: Query, endpoints: Sequence[Endpoint]) -> list[float]:
        """Predict, and rate those that come into question."""
        load = query.fact(LEDGER, Workload)
        wanted = _NONE.asked_by(query.headers)
        rooms = [self._headroom(query, load, wanted, e) for e in endpoints]
        asked = wanted != _NONE
        best = min((room.tier for room in rooms), default=0) if asked else 0
        chosen = [i for i, room in enumerate(rooms) if not asked or room.tier == best]
        if best > 0:
            idle = [i for i, e in enumerate(endpoints) if load.at(e).requests == 0]
            chosen = idle or chosen
        just_enough = asked and best == 0 and self.headroom_selection_strategy == "least"
        scores = [0.0] * len(endpoints)
        for i, rate in zip(chosen, self._rates([rooms[i] for i in chosen]), strict=True):
            scores[i] = max(_LEAST_SCORE, 1.0 - rate if just_enough else rate)
        return scores

    def _headroom(
        self, query: Query, load: Workload, wanted: Targets, endpoint: Endpoint
    ) -> Headroom:
        matches = query.fact(self.prefix_match_info_producer_name, PrefixMatches)
        ttft_s = load.ttft_s(matches, endpoint, query.now)
        tpot_s = load.token_s(load.at(endpoint))
        if wanted == _NONE:
            return Headroom(-ttft_s, -tpot_s)
        return Headroom(
            wanted.ttft_s - ttft_s if wanted.ttft_s < inf else 0.0,
            wanted.tpot_s - tpot_s if wanted.tpot_s < inf else 0.0,
        )

    def _rates(self, rooms: Sequence[Headroom]) -> list[float]:
        """Return 1 for the most headroom of these and 0 for the least."""
        ttft = _spread([room.ttft_s for room in rooms])
        tpot = _spread([room.tpot_s for room in rooms])
        whole = self.ttft_weight + self.tpot_weight or 1.0
        return [
            (self.ttft_weight * one + self.tpot_weight * other) / whole
            for one, other in zip(ttft, tpot, strict=True)
        ]


def _spread(values: Sequence[float]) -> list[float]:
    lowest, highest = min(values, default=0.0), max(values, default=0.0)
    span = highest - lowest
    return [(value - lowest) / span for value in values] if span > 0.0 else [1.0] * len(values)
