"""Which endpoints failed lately."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Decision, Outcome
from epp.scheduling.query import Query
from epp.scheduling.registry import producers

FAILURES = "failure-memory-producer"

_GATEWAY = frozenset({502, 503, 504})  # what a proxy says of a server that it cannot reach
_ENOUGH = 2.0  # one of those, or two other failures
_Seconds = Annotated[float, msgspec.Meta(gt=0.0)]


class Failing(msgspec.Struct, frozen=True):
    """Address and generation of the endpoints that should not get the next request."""

    avoided: frozenset[tuple[str, int]] = frozenset()


class _Record:
    """One endpoint's failures since its last success."""

    __slots__ = ("at", "count", "tried", "until")

    def __init__(self) -> None:
        self.count = 0.0
        self.at = 0.0
        self.until = 0.0
        self.tried = False  # by a request that has not ended

    def avoided(self, now: float) -> bool:
        return self.count >= _ENOUGH and now < self.until


NOBODY = Failing()


@producers(FAILURES)
class FailureMemoryProducer:
    """Remembers endpoints that could not be reached or answered 5xx.

    Such an endpoint is avoided for `avoidSeconds`, twice as long with each further failure, up to
    `maxAvoidSeconds`. Then one request may try it; a good answer makes up for everything. If none
    tries it, what it did counts half after another `maxAvoidSeconds`. How an answer breaks off
    teaches nothing: clients that leave look the same.
    """

    class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
        """How long an endpoint is avoided."""

        avoid_seconds: _Seconds = 1.0
        max_avoid_seconds: _Seconds = 30.0

    def __init__(self, parameters: Parameters) -> None:
        self._avoid_s = parameters.avoid_seconds
        self._max_avoid_s = max(parameters.avoid_seconds, parameters.max_avoid_seconds)
        self._records: dict[tuple[str, int], _Record] = {}

    def __repr__(self) -> str:
        return f"<FailureMemoryProducer {len(self._records)} endpoints that failed>"

    def produce(self, query: Query, endpoints: Sequence[Endpoint]) -> Failing:
        """Return who is avoided now."""
        if not self._records:
            return NOBODY
        records = self._records.items()
        return Failing(frozenset(key for key, record in records if record.avoided(query.now)))

    def reserve(self, query: Query, decision: Decision, fact: Failing) -> None:
        """Let one request try an endpoint whose time is over; the others wait for how it ends."""
        record = self._records.get(_key(decision.winner))
        if record is not None and record.count >= _ENOUGH:
            record.tried = True
            record.until = query.now + self._period_s(record)

    def release(
        self, query: Query, decision: Decision, held: None, outcome: Outcome, now: float
    ) -> None:
        """Take note of a failure, or of a success."""
        key = _key(decision.winner)
        if outcome.status >= 500:
            self._failed(key, _ENOUGH if outcome.status in _GATEWAY else 1.0, now)
        elif outcome.status > 0:
            self._records.pop(key, None)

    def forget(self, endpoint: Endpoint) -> None:
        """Drop the failures."""
        self._records.pop(_key(endpoint), None)

    def _failed(self, key: tuple[str, int], weight: float, now: float) -> None:
        record = self._records.get(key) or self._begin(key, now)
        if record.avoided(now) and not record.tried:
            return  # it was under way when the endpoint failed, and says nothing new
        fading = 0.5 ** (max(0.0, now - record.until) / self._max_avoid_s)
        record.count = record.count * fading + weight
        record.at, record.tried = now, False
        record.until = now + self._period_s(record)

    def _begin(self, key: tuple[str, int], now: float) -> _Record:
        """Begin a record, and drop those that nobody will ask for any more."""
        old = now - 4.0 * self._max_avoid_s
        self._records = {k: r for k, r in self._records.items() if r.at > old}
        record = self._records[key] = _Record()
        return record

    def _period_s(self, record: _Record) -> float:
        doublings = min(30.0, max(0.0, record.count / _ENOUGH - 1.0))
        return float(min(self._max_avoid_s, self._avoid_s * 2.0**doublings))


def _key(endpoint: Endpoint) -> tuple[str, int]:
    return endpoint.address, endpoint.generation
