"""Keep servers that work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Exhausted
from epp.scheduling.producers.failure_memory import FAILURES, Failing
from epp.scheduling.query import Query
from epp.scheduling.registry import filters


@filters("failure-memory-filter")
class FailureMemoryFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Drop the endpoints that failed lately; all are kept if all did.

    An endpoint that refuses everything has no load, so to every measure of load it is the best.
    """

    exhausted: ClassVar[Exhausted] = Exhausted.NO_ENDPOINTS

    def needs(self) -> tuple[str, ...]:
        """Read who failed."""
        return (FAILURES,)

    def keep(self, query: Query, endpoints: Sequence[Endpoint]) -> list[Endpoint]:
        """Return the others, or all."""
        avoided = query.fact(FAILURES, Failing).avoided
        if not avoided:
            return list(endpoints)
        return [e for e in endpoints if (e.address, e.generation) not in avoided] or list(endpoints)
