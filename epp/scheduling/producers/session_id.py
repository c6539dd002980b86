"""A session's endpoint, remembered by the session's name."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Annotated

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Decision, Outcome
from epp.scheduling.pin import Pin
from epp.scheduling.query import Query
from epp.scheduling.registry import producers

SESSION_ID = "session-id-producer"

_MAX_ID_LENGTH = 256  # the table is bounded in entries; this bounds it in bytes


class _Session(msgspec.Struct, frozen=True):
    pin: Pin
    expires: float


@producers(SESSION_ID)
class SessionIdProducer:
    """Remembers for `ttlSeconds` where each session's last request went, for at most `maxSessions`
    of them: the one that has been silent longest makes room.
    """

    class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
        """Where a session's name is, and how long and how many are remembered."""

        header_name: Annotated[str, msgspec.Meta(min_length=1)] = "x-session-id"
        ttl_seconds: Annotated[float, msgspec.Meta(ge=1.0)] = 300.0
        max_sessions: Annotated[int, msgspec.Meta(ge=1)] = 100_000

    def __init__(self, parameters: Parameters) -> None:
        self._header = parameters.header_name.lower()
        self._ttl_s = parameters.ttl_seconds
        self._max_sessions = parameters.max_sessions
        self._sessions: OrderedDict[str, _Session] = OrderedDict()  # longest silent first

    def __repr__(self) -> str:
        return f"<SessionIdProducer {len(self._sessions)} sessions>"

    def produce(self, query: Query, endpoints: Sequence[Endpoint]) -> Pin:
        """Return the session's pin, if it has one that has not expired."""
        session = self._sessions.get(self._id(query))
        return session.pin if session is not None and session.expires > query.now else Pin()

    def reserve(self, query: Query, decision: Decision, fact: Pin) -> None:
        """Pin the session to the winner."""
        if not (name := self._id(query)):
            return
        pin = Pin(decision.winner.address, decision.winner.generation)
        self._sessions[name] = _Session(pin, query.now + self._ttl_s)
        self._sessions.move_to_end(name)
        self._expire(query.now)

    def release(
        self, query: Query, decision: Decision, held: None, outcome: Outcome, now: float
    ) -> None:
        """Keep the pin: the session goes on."""

    def forget(self, endpoint: Endpoint) -> None:
        """Do nothing: pins to an endpoint that left hold no other, and expire."""

    def _id(self, query: Query) -> str:
        name = query.headers.get(self._header, "")
        return name if len(name) <= _MAX_ID_LENGTH else ""

    def _expire(self, now: float) -> None:
        # Two out for one in: the table shrinks, and no request pays for all that expired at once.
        for _ in range(2):
            oldest = next(iter(self._sessions.values()))
            if len(self._sessions) <= self._max_sessions and oldest.expires > now:
                return
            self._sessions.popitem(last=False)
