"""Prefer servers that have the beginning of the prompt in their cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Scores
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.producers.approx_prefix_cache import APPROX_PREFIX
from epp.scheduling.query import Query
from epp.scheduling.registry import scorers


class PrefixDetails(msgspec.Struct, frozen=True):
    """Where the scores of one decision come from."""

    matches: PrefixMatches
    endpoints: Sequence[Endpoint]

    @property
    def basis(self) -> str:
        """Whether the servers told what they have, it was guessed, or each for some of them."""
        told = sum(e.address in self.matches.precise for e in self.endpoints)
        if not told:
            return "approximate"
        return "precise" if told == len(self.endpoints) else "precise and approximate"

    def terms(self, index: int) -> Mapping[str, float]:
        """Return what one candidate has of the prompt; `precise`: 1 if it told so itself."""
        matches, address = self.matches, self.endpoints[index].address
        return {
            "prompt_tokens": matches.prompt_units * matches.tokens_per_unit,
            "cached_tokens": matches.tokens(matches.matched.get(address, 0)),
            "trust": matches.trust.get(address, 1.0),
            "precise": float(address in matches.precise),
        }

    def words(self, index: int) -> str:
        """Leave it at the score, which is the share of the prompt."""
        return ""


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

    def score(self, query: Query, endpoints: Sequence[Endpoint]) -> Scores:
        """Rate each endpoint's match."""
        matches = query.fact(self.prefix_match_info_producer_name, PrefixMatches)
        depths, trust = matches.depths([e.address for e in endpoints]), matches.trust
        rates = {depth: self._rate(matches, depth) if depth else 0.0 for depth in set(depths)}
        numbers = [rates[depth] for depth in depths]
        if trust:
            numbers = [
                rate * trust.get(e.address, 1.0) if rate else rate
                for e, rate in zip(endpoints, numbers, strict=True)
            ]
        return Scores(numbers, PrefixDetails(matches.slim(), endpoints))

    def _rate(self, matches: PrefixMatches, blocks: int) -> float:
        tokens = matches.tokens(blocks)
        length = min(1.0, tokens / self.match_length_scale_tokens) ** 2
        share = tokens / matches.tokens(matches.blocks)
        return self.match_length_weight * length + (1.0 - self.match_length_weight) * share
