"""Prefer servers that have few tokens left to compute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.ledger.workload import Workload
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.producers.approx_prefix_cache import APPROX_PREFIX
from epp.scheduling.producers.work_ledger import LEDGER
from epp.scheduling.query import Query
from epp.scheduling.registry import scorers


@scorers("token-load-scorer")
class TokenLoadScorer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Score by the prompt tokens that the server would have to compute, this request's included: 1
    for none, 0 for `queueThresholdTokens` or more. What is cached there does not count.
    """

    queue_threshold_tokens: Annotated[int, msgspec.Meta(ge=1)] = 4_194_304
    prefix_match_info_producer_name: Annotated[str, msgspec.Meta(min_length=1)] = APPROX_PREFIX

    def needs(self) -> tuple[str, ...]:
        """Read the ledger, and the matches of the named producer."""
        return (self.prefix_match_info_producer_name, LEDGER)

    def score(self, query: Query, endpoints: Sequence[Endpoint]) -> list[float]:
        """Add up what waits there and what this request brings."""
        load = query.fact(LEDGER, Workload)
        matches = query.fact(self.prefix_match_info_producer_name, PrefixMatches)
        most = float(self.queue_threshold_tokens)
        return [
            1.0 - min(1.0, (load.at(e).to_compute + load.uncached_at(matches, e.address)) / most)
            for e in endpoints
        ]
