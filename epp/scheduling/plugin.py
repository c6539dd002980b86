"""The contract of a plugin.

A plugin is one file with one class under a decorator of `epp.scheduling.registry`. Its parameters
in the configuration are the fields of a frozen `msgspec.Struct`: of the class itself, or, where the
plugin must remember something (a producer), of the class that its `Parameters` names and its
constructor takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Decision, Exhausted, Outcome
from epp.scheduling.figure import Figure
from epp.scheduling.query import Query

if TYPE_CHECKING:
    from random import Random


class Filter(Protocol):
    """Drops endpoints that must not get the request."""

    exhausted: ClassVar[Exhausted]  # what it means when this filter drops the last endpoint

    def needs(self) -> tuple[str, ...]:
        """Names of the producers whose facts it reads; made with defaults if not configured."""

    def keep(self, query: Query, endpoints: Sequence[Endpoint]) -> list[Endpoint]:
        """Return those that may get the request, in the given order."""


class Scorer(Protocol):
    """Rates endpoints."""

    def needs(self) -> tuple[str, ...]:
        """Names of the producers whose facts it reads; made with defaults if not configured."""

    def score(self, query: Query, endpoints: Sequence[Endpoint]) -> Sequence[float]:
        """Return one number from 0 to 1 for each endpoint, in their order.

        Those that take some explaining come as `decision.Scores`, or, where they go by costs, as
        `cheapness.Cheapness`.
        """


class Picker(Protocol):
    """Chooses by the totals."""

    def pick(
        self, endpoints: Sequence[Endpoint], totals: Sequence[float], rng: Random
    ) -> list[Endpoint]:
        """Return at least one endpoint, best first; `endpoints` is never empty."""


class Producer(Protocol):
    """Remembers; filters and scorers read its facts."""

    def produce(self, query: Query, endpoints: Sequence[Endpoint]) -> object:
        """Return this producer's fact about the request."""

    def reserve(self, query: Query, decision: Decision, fact: Any) -> Any:
        """Take note of a pick, in the same turn in which it was made; `fact` is its own.

        What it returns is given back to it at the first token and at the end of this request.
        """

    def release(
        self, query: Query, decision: Decision, held: Any, outcome: Outcome, now: float
    ) -> None:
        """Take note of the request's end; called once for each `reserve`.

        The query has neither prompt nor headers nor facts any more, and the decision only says
        what was picked.
        """

    def forget(self, endpoint: Endpoint) -> None:
        """Drop what is known of an endpoint that left the pool."""


@runtime_checkable
class Hearing(Protocol):
    """A producer that wants to know when an answer begins."""

    def first_token(self, query: Query, decision: Decision, held: Any, now: float) -> None:
        """Take note of it; not called where answers are not observed.

        The query and the decision are as bare as those of `Producer.release`.
        """


@runtime_checkable
class Marking(Protocol):
    """A producer that recognises a client's next request by a header of this one's answer."""

    def response_headers(self, decision: Decision) -> Sequence[tuple[str, str]]:
        """Return the headers."""


@runtime_checkable
class Seeded(Protocol):
    """A producer whose hashes a stranger must not be able to compute.

    The core draws no random numbers: the app sets the seed once, before the first request.
    """

    seed: int


@runtime_checkable
class Reserving(Protocol):
    """A producer that reserves memory for answers whose requests give no limit."""

    def reserve_tokens(self, tokens: int | None) -> None:
        """Reserve so many for each from now on; None: as its parameters say."""


@runtime_checkable
class Telling(Protocol):
    """A producer that has learned something which is worth watching."""

    def figures(self) -> Iterable[Figure]:
        """Return it as it is now."""


class ProfileHandler(Protocol):
    """Chooses the scheduling profile of a request."""

    def choose(self, query: Query, profiles: Sequence[str]) -> str:
        """Return the name of one of `profiles`, which is never empty."""
