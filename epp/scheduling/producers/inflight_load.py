"""How many requests are under way through this picker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Decision, Outcome
from epp.scheduling.query import Query
from epp.scheduling.registry import producers

INFLIGHT = "inflight-load-producer"


class InFlight(msgspec.Struct, frozen=True):
    """Requests in flight by address and generation; endpoints without any are left out."""

    requests: Mapping[tuple[str, int], int] = {}

    def at(self, endpoint: Endpoint) -> int:
        """Return the requests in flight at one endpoint."""
        return self.requests.get((endpoint.address, endpoint.generation), 0)


@producers(INFLIGHT)
class InflightLoadProducer:
    """Counts a request from its pick to its end.

    The generation is part of the key: an endpoint that comes back starts at zero, and the requests
    of its earlier life, which end late, are not subtracted from the new one.
    """

    class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
        """None."""

    def __init__(self, parameters: Parameters) -> None:
        self._requests: dict[tuple[str, int], int] = {}

    def __repr__(self) -> str:
        return f"<InflightLoadProducer {sum(self._requests.values())} requests>"

    def produce(self, query: Query, endpoints: Sequence[Endpoint]) -> InFlight:
        """Return the counts as they are now."""
        return InFlight(self._requests.copy())

    def reserve(self, query: Query, decision: Decision, fact: InFlight) -> None:
        """Add a request to the winner."""
        key = _key(decision.winner)
        self._requests[key] = self._requests.get(key, 0) + 1

    def release(
        self, query: Query, decision: Decision, held: None, outcome: Outcome, now: float
    ) -> None:
        """Take it away again."""
        key = _key(decision.winner)
        left = self._requests.pop(key, 0) - 1
        if left > 0:
            self._requests[key] = left

    def forget(self, endpoint: Endpoint) -> None:
        """Drop the count."""
        self._requests.pop(_key(endpoint), None)


def _key(endpoint: Endpoint) -> tuple[str, int]:
    return endpoint.address, endpoint.generation
