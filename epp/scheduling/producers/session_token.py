"""A session's endpoint, as the client sends it back."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Decision, Outcome
from epp.scheduling.pin import Pin
from epp.scheduling.query import Query
from epp.scheduling.registry import producers

SESSION_TOKEN = "session-token-producer"  # noqa: S105
HEADER = "x-session-token"


@producers(SESSION_TOKEN)
class SessionTokenProducer:
    """Puts the endpoint's address into the answer's `x-session-token`, and reads it from the next
    request: nothing is remembered, so it also works with several pickers and after a restart.
    """

    class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
        """None."""

    def __init__(self, parameters: Parameters) -> None:
        pass

    def produce(self, query: Query, endpoints: Sequence[Endpoint]) -> Pin:
        """Return the pin in the request's token; a token that cannot be read is no token."""
        try:
            return Pin(b64decode(query.headers.get(HEADER, ""), validate=True).decode("ascii"))
        except ValueError:
            return Pin()

    def reserve(self, query: Query, decision: Decision, fact: Pin) -> None:
        """Remember nothing."""

    def release(
        self, query: Query, decision: Decision, held: None, outcome: Outcome, now: float
    ) -> None:
        """Remember nothing."""

    def forget(self, endpoint: Endpoint) -> None:
        """Remember nothing."""

    def response_headers(self, decision: Decision) -> Sequence[tuple[str, str]]:
        """Return the token for the destination."""
        return ((HEADER, b64encode(decision.winner.address.encode()).decode()),)
