"""Spread prompts that are cached nowhere over all servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.producers.approx_prefix_cache import APPROX_PREFIX
from epp.scheduling.producers.cold_picks import COLD_PICKS, ColdPicks
from epp.scheduling.query import Query
from epp.scheduling.registry import scorers

_NEUTRAL = 0.5


@scorers("no-hit-lru-scorer")
class NoHitLruScorer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Score a prompt that is cached nowhere by how long ago the server got the last such prompt: 1
    for never or the longest, 0 for the latest. If any server has a part of it, all get 0.5.

    Of more than `lruSize` servers, those that were used longest ago count as never used.
    """

    lru_size: Annotated[int, msgspec.Meta(ge=1)] = 1024
    prefix_match_info_producer_name: Annotated[str, msgspec.Meta(min_length=1)] = APPROX_PREFIX

    def needs(self) -> tuple[str, ...]:
        """Read the order of such picks, and the matches of the named producer."""
        return (self.prefix_match_info_producer_name, COLD_PICKS)

    def score(self, query: Query, endpoints: Sequence[Endpoint]) -> list[float]:
        """Rank by the order."""
        matches = query.fact(self.prefix_match_info_producer_name, PrefixMatches)
        if matches.matched:
            return [_NEUTRAL] * len(endpoints)
        order = list(query.fact(COLD_PICKS, ColdPicks).order)[-self.lru_size :]
        places = {address: place for place, address in enumerate(order, start=1)}
        found = [places.get(e.address, 0) for e in endpoints]
        ranks = {place: rank for rank, place in enumerate(sorted(set(found)))}
        last = max(1, len(ranks) - 1)
        return [1.0 - ranks[place] / last for place in found]
