"""Go easy on servers that have just joined."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.ledger.workload import Workload
from epp.scheduling.producers.work_ledger import LEDGER
from epp.scheduling.query import Query
from epp.scheduling.registry import scorers


@scorers("slow-start-scorer")
class SlowStartScorer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Score 0 for an endpoint that has just joined, and more in a straight line until, after
    `rampSeconds` of the ledger (30), it is 1 as all others are.

    Their caches are empty and their kernels may not be compiled yet, while every measure of load
    says that nobody is freer.
    """

    def needs(self) -> tuple[str, ...]:
        """Read in the ledger who joined lately."""
        return (LEDGER,)

    def score(self, query: Query, endpoints: Sequence[Endpoint]) -> list[float]:
        """Look up who is still warming up."""
        ramps = query.fact(LEDGER, Workload).ramps
        return [ramps.get(e.address, 1.0) for e in endpoints]
