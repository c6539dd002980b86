"""Choosing an endpoint and keeping the books of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import structs

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Decision, Exhausted, Outcome, Refusal
from epp.scheduling.errors import PluginError
from epp.scheduling.figure import Figure
from epp.scheduling.plugin import Producer, ProfileHandler, Reserving, Telling
from epp.scheduling.profile import Profile
from epp.scheduling.query import Query
from epp.scheduling.roll import Roll

if TYPE_CHECKING:
    from random import Random


class Reservation:
    """What a pick holds until its request ends; `first_token` and `release` count once."""

    __slots__ = ("_answered", "_held", "_roll", "decision", "query", "response_headers")

    def __init__(self, query: Query, decision: Decision, roll: Roll) -> None:
        self.query = query
        self.decision = decision
        self.response_headers: Sequence[tuple[str, str]] = ()  # what the producers add
        self._roll = roll
        self._held: dict[str, Any] = {}
        self._answered = False
        try:
            for name, producer in roll.all.items():
                self._held[name] = producer.reserve(query, decision, query.facts[name])
            if roll.marking:
                self.response_headers = [
                    pair for one in roll.marking for pair in one.response_headers(decision)
                ]
        except BaseException:
            self.release(Outcome(), query.now)
            raise

    def waited(self, seconds: float, why: str) -> None:
        """Note how long the request was kept, and for what."""
        self.decision = structs.replace(self.decision, waited_s=seconds, waited_for=why)

    def settle(self) -> None:
        """Let go of what was needed to choose: the answer may take minutes."""
        self.query = self.query.settled()
        self.decision = self.decision.settled()

    def first_token(self, now: float) -> None:
        """Tell the producers that the answer began."""
        if self._answered:
            return
        self._answered = True
        for name, producer in self._roll.hearing.items():
            if name in self._held:
                producer.first_token(self.query, self.decision, self._held[name], now)

    def release(self, outcome: Outcome, now: float) -> None:
        """Tell the producers how the request ended, and when."""
        try:
            while self._held:
                name, held = self._held.popitem()
                self._roll.all[name].release(self.query, self.decision, held, outcome, now)
        except BaseException:
            self.release(outcome, now)  # one that fails must not keep it from the others
            raise


class Choice(msgspec.Struct, frozen=True, eq=False):
    """A decision, and the request with the facts that led to it."""

    query: Query
    decision: Decision


class Scheduler:
    """Profiles, the handler that chooses one, and the producers that they share."""

    def __init__(
        self,
        profiles: Sequence[Profile],
        handler: ProfileHandler,
        producers: Mapping[str, Producer],
    ) -> None:
        self._profiles = {profile.name: profile for profile in profiles}
        self._names = tuple(self._profiles)
        self._handler = handler
        self._preferred: str | None = None
        self._roll = Roll(producers)

    def __repr__(self) -> str:
        return f"<Scheduler {', '.join(self._names)}>"

    @property
    def producers(self) -> Mapping[str, Producer]:
        """What remembers, by name: some must also be fed."""
        return self._roll.all

    def prefer(self, profile: str | None) -> None:
        """Run this profile for every request; None: the one that the handler chooses."""
        self._preferred = profile

    def reserve_tokens(self, tokens: int | None) -> None:
        """Count so many tokens for an answer without a limit; None: as the producers' parameters
        say.
        """
        for producer in self._roll.all.values():
            if isinstance(producer, Reserving):
                producer.reserve_tokens(tokens)

    def consider(
        self, query: Query, endpoints: Sequence[Endpoint], rng: Random
    ) -> Choice | Refusal:
        """Choose, and leave the books as they are."""
        if not endpoints:
            return Refusal(Exhausted.NO_ENDPOINTS)
        facts = {name: p.produce(query, endpoints) for name, p in self._roll.all.items()}
        informed = structs.replace(query, facts=facts)
        decision = self._profile(informed).run(informed, endpoints, rng)
        return decision if isinstance(decision, Refusal) else Choice(informed, decision)

    def reserve(self, choice: Choice) -> Reservation:
        """Enter a choice into the books; in the turn in which it was made, or it is out of date."""
        return Reservation(choice.query, choice.decision, self._roll)

    def schedule(
        self, query: Query, endpoints: Sequence[Endpoint], rng: Random
    ) -> Reservation | Refusal:
        """Choose, and reserve in the same turn: the next request sees this one's weight."""
        choice = self.consider(query, endpoints, rng)
        return choice if isinstance(choice, Refusal) else self.reserve(choice)

    def figures(self) -> list[Figure]:
        """Return what the producers have learned."""
        telling = [p for p in self._roll.all.values() if isinstance(p, Telling)]
        return [figure for producer in telling for figure in producer.figures()]

    def forget(self, endpoints: Iterable[Endpoint]) -> None:
        """Drop what is known of endpoints that left the pool."""
        for endpoint in endpoints:
            for producer in self._roll.all.values():
                producer.forget(endpoint)

    def _profile(self, query: Query) -> Profile:
        name = self._preferred or self._handler.choose(query, self._names)
        if name not in self._profiles:
            raise PluginError(f"the profile handler chose {name!r}, not one of {self._names}")
        return self._profiles[name]
