"""Prefer servers with free KV cache."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.query import Query
from epp.scheduling.readings import free_kv_cache
from epp.scheduling.registry import scorers


@scorers("kv-cache-utilization-scorer")
class KVCacheScorer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Score by the share of the KV cache that is free: 1 for an empty cache, 0 for a full one.

    A server that does not tell it gets what the others have on average.
    """

    def needs(self) -> tuple[str, ...]:
        """Read no facts."""
        return ()

    def score(self, query: Query, endpoints: Sequence[Endpoint]) -> list[float]:
        """Subtract the used share from 1."""
        return free_kv_cache(query, endpoints)
