"""Prefer servers that have the beginning of the prompt in their cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.producers.approx_prefix_cache import APPROX_PREFIX
from epp.scheduling.query import Query
from epp.scheduling.registry import scorers


@scorers("prefix-cache-scorer")
class PrefixCacheScorer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Score by how much of the prompt the server has probably cached.

    The share of the prompt, blended by `matchLengthWeight` with the square of the matched length
    over `matchLengthScaleTokens`: long matches save more than their share says.
    """

    match_length_weight: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.0
    match_length_scale_tokens: Annotated[int, msgspec.Meta(ge=1)] = 8192
    prefix_match_info_producer_name: Annotated[str, msgspec.Meta(min_length=1)] = APPROX_PREFIX

    def needs(self) -> tuple[str, ...]:
        """Read the matches of the named producer."""
        return (self.prefix_match_info_producer_name,)

    def score(self, query: Query, endpoints: Sequence[Endpoint]) -> list[float]:
        """Rate each endpoint's match."""
        matches = query.fact(self.prefix_match_info_producer_name, PrefixMatches)
        matched, trust = matches.matched, matches.trust
        return [
            self._rate(matches, matched[e.address]) * trust.get(e.address, 1.0)
            if e.address in matched
            else 0.0
            for e in endpoints
        ]

    def _rate(self, matches: PrefixMatches, blocks: int) -> float:
        tokens = matches.tokens(blocks)
        length = min(1.0, tokens / self.match_length_scale_tokens) ** 2
        share = tokens / matches.tokens(matches.blocks)
        return self.match_length_weight * length + (1.0 - self.match_length_weight) * share
