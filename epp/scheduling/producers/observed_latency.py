"""How fast each endpoint has answered lately."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Decision, Outcome
from epp.scheduling.figure import Figure
from epp.scheduling.ledger.average import Average
from epp.scheduling.query import Query
from epp.scheduling.registry import producers

OBSERVED_LATENCY = "observed-latency-producer"

_Key = tuple[str, int]  # address and generation


class Averages:
    """One kind of time, of every endpoint that was seen to take it; in seconds."""

    def __init__(self, half_life_s: float) -> None:
        self._half_life_s = half_life_s
        self._pool = Average(half_life_s)
        self._own: dict[_Key, Average] = {}

    def __repr__(self) -> str:
        return f"<Averages of {len(self._own)} endpoints>"

    def add(self, endpoint: Endpoint, seconds: float, now: float) -> None:
        """Take note of one."""
        key = _key(endpoint)
        own = self._own.get(key)
        if own is None:
            own = self._own[key] = Average(self._half_life_s)
        own.add(seconds, now)
        self._pool.add(seconds, now)

    def of(self, endpoints: Sequence[Endpoint], now: float) -> list[float] | None:
        """Return what is to be expected of each endpoint; None if nothing is known of the pool.

        One that was not seen for long is expected to be as the pool is, so that it is tried again.
        """
        usual = self._pool.value()
        if usual is None:
            return None
        own = map(self._own.get, map(_key, endpoints))
        return [usual if average is None else average.towards(usual, now) for average in own]

    def forget(self, endpoint: Endpoint) -> None:
        """Drop one endpoint."""
        self._own.pop(_key(endpoint), None)

    def figures(self, name: str, text: str) -> Iterator[Figure]:
        """Yield the mean of each endpoint, however old."""
        for (address, _), average in self._own.items():
            value = average.value()
            if value is not None:
                yield Figure(name, text, value, address)


class ObservedLatency(msgspec.Struct, frozen=True):
    """What the endpoints took lately."""

    ttft: Averages  # from the pick to the first token
    itl: Averages  # from one token to the next


@producers(OBSERVED_LATENCY)
class ObservedLatencyProducer:
    """Averages the times to the first token and between tokens that each endpoint was seen to take.

    Newer ones count more; all of them count half after `halfLifeSeconds`, and what is missing is
    made up from the mean of the pool. Learns from streams, where answers are observed.
    """

    class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
        """How fast it forgets."""

        half_life_seconds: Annotated[float, msgspec.Meta(gt=0.0)] = 15.0

    def __init__(self, parameters: Parameters) -> None:
        half_life_s = parameters.half_life_seconds
        self._seen = ObservedLatency(Averages(half_life_s), Averages(half_life_s))
        self._there: set[_Key] = set()  # were picked and have not left: answers outlive endpoints

    def __repr__(self) -> str:
        return f"<ObservedLatencyProducer {self._seen.ttft!r}>"

    def produce(self, query: Query, endpoints: Sequence[Endpoint]) -> ObservedLatency:
        """Return what is known."""
        return self._seen

    def reserve(self, query: Query, decision: Decision, fact: ObservedLatency) -> None:
        """Listen to this endpoint until it leaves."""
        self._there.add(_key(decision.winner))

    def release(
        self, query: Query, decision: Decision, held: None, outcome: Outcome, now: float
    ) -> None:
        """Take note of what a good answer took; errors come fast, and say nothing."""
        if not 200 <= outcome.status < 300 or _key(decision.winner) not in self._there:
            return
        for averages, seconds in (
            (self._seen.ttft, outcome.ttft_s),
            (self._seen.itl, outcome.itl_s),
        ):
            if seconds is not None:
                averages.add(decision.winner, seconds, now)

    def forget(self, endpoint: Endpoint) -> None:
        """Drop the averages, and what will still come of them."""
        self._there.discard(_key(endpoint))
        self._seen.ttft.forget(endpoint)
        self._seen.itl.forget(endpoint)

    def figures(self) -> list[Figure]:
        """Return the averages."""
        ttft = "Mean time to the first token of the endpoint's latest answers, in seconds."
        itl = "Mean time between tokens of the endpoint's latest answers, in seconds."
        return [
            *self._seen.ttft.figures("endpoint_mean_ttft_seconds", ttft),
            *self._seen.itl.figures("endpoint_mean_itl_seconds", itl),
        ]


def _key(endpoint: Endpoint) -> _Key:
    return endpoint.address, endpoint.generation
