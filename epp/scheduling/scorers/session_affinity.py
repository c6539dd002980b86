"""Keep a session where it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.pin import Pin
from epp.scheduling.producers.session_id import SESSION_ID
from epp.scheduling.producers.session_token import SESSION_TOKEN
from epp.scheduling.query import Query
from epp.scheduling.registry import scorers

_PRODUCERS = {"encoded_endpoint_header": SESSION_TOKEN, "session_id": SESSION_ID}


@scorers("session-affinity-scorer")
class SessionAffinityScorer(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"
):
    """Score 1 for the endpoint that had the session's last request, 0 for all others.

    `encoded_endpoint_header`: the client sends back the `x-session-token` of the last answer.
    `session_id`: the client names its session in `x-session-id`, and the picker remembers.
    """

    strategy: Literal["encoded_endpoint_header", "session_id"] = "encoded_endpoint_header"

    def needs(self) -> tuple[str, ...]:
        """Read the pin of the strategy's producer."""
        return (_PRODUCERS[self.strategy],)

    def score(self, query: Query, endpoints: Sequence[Endpoint]) -> list[float]:
        """Compare with the pin."""
        pin = query.fact(_PRODUCERS[self.strategy], Pin)
        return [float(pin.holds(e)) for e in endpoints]
