"""Binds a request to an endpoint when one can take it, not when it arrives."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import structs

from epp.pool.endpoint import Endpoint
from epp.routing.admission.answer import Answer
from epp.routing.admission.asked import Asked
from epp.routing.admission.closed import Closed
from epp.routing.admission.courtesy import Courtesy
from epp.routing.admission.patience import patience_s
from epp.routing.admission.room import WaitingRoom, by_need
from epp.routing.admission.settings import AdmissionSettings
from epp.routing.admission.shed import Shed
from epp.routing.admission.waiter import Waiter
from epp.scheduling.decision import Refusal
from epp.scheduling.gate.gate import GATE, Gate
from epp.scheduling.gate.targets import Targets
from epp.scheduling.gate.verdict import OPEN
from epp.scheduling.ledger.decaying import DecayingSum
from epp.scheduling.query import Query
from epp.scheduling.scheduler import Choice, Reservation, Scheduler

if TYPE_CHECKING:
    from random import Random

LOOKED_AT = 128  # waiting requests at most, at one event
_LEAST_LOOKED_AT = 32
_LOOKED_AT_FOR_EACH = 4  # endpoint: those further back mostly prefer the same ones
_RECONSIDERED = 16  # of them, at one event: choosing anew is what costs
_RECONSIDERED_S = 0.25  # after which another endpoint may have become the best one for a request
_SHORTEST_TICK_S = 0.005
_RATE_PERIOD_S = 10.0
_LONGEST_DRAIN_S = 60.0


class Admission:
    """Lets requests through to endpoints that are open for them, and keeps the others waiting.

    A request whose best endpoint is closed waits for that one, and keeps its cache there; those
    behind it that prefer another are not held up. It is driven by events: the caller says when a
    request arrives, begins to be answered, ends, when the pool changes, and when it is `next_at`.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        gate: Gate,
        rng: Random,
        settings: AdmissionSettings,
        wake: Callable[[float], None] = lambda _: None,
    ) -> None:
        self.settings = settings
        rank = by_need(settings.shortest_first)
        self.room = WaitingRoom(settings.limits, rank, of_bands=settings.bands)
        self.gate = gate
        self._courtesy = Courtesy(settings)
        self._scheduler = scheduler
        self._rng = rng
        self._wake = wake  # told when `advance` must be called though nothing happens
        self._served = DecayingSum(_RATE_PERIOD_S)
        self._endpoints = 0  # that the latest request could go to
        self._opens_at = math.inf
        self._changed_at = -math.inf
        self._busy = False
        self._again = False
        self._advanced_at = 0.0

    def __repr__(self) -> str:
        return f"<Admission {self.room!r}, {self.gate!r}>"

    def admit(
        self, query: Query, endpoints: Sequence[Endpoint], flow: str = ""
    ) -> Reservation | Refusal | Closed:
        """Let a request through, or say what keeps it from where it would go: it may `wait`."""
        now = query.now
        if self.room.present:
            self.advance(now)
        self._endpoints = len(endpoints)
        choice = self._scheduler.consider(query, endpoints, self._rng)
        if isinstance(choice, Refusal):
            return choice
        targets, tokens = choice.query.fact(GATE, Targets), self.gate.tokens(choice.query)
        part = self._courtesy.arrived(query.priority, flow, now)
        verdict = self.gate.verdict(choice.decision.winner, tokens, targets, now, part)
        if verdict is OPEN:
            return self._reserve(choice, flow, now)
        return Closed(query, choice, flow, targets, tokens, part, verdict)

    def wait(
        self,
        closed: Closed,
        endpoints: Callable[[], Sequence[Endpoint]],
        settled: Callable[[Answer], None],
        size_bytes: int = 0,
        deadline: float = math.inf,
    ) -> Waiter | Shed:
        """Keep a request, in the turn in which it could not go.

        `endpoints` tells who may get it later, `settled` is called once, unless it leaves before.
        """
        query, now = closed.query, closed.query.now
        asked = Asked(
            query,
            endpoints,
            settled,
            closed.flow,
            deadline,
            closed.targets,
            closed.tokens,
            closed.choice.decision.winner,
            now,
            closed.part,
            closed.verdict.why.value,
        )
        self._advanced_at = now
        self._opens_at = min(self._opens_at, closed.verdict.opens_at)
        waiter = self._waiter(asked, closed.choice, size_bytes)
        if not self.room.fits(waiter) and not self._make_room(waiter, now):
            return Shed.FULL
        self.room.add(waiter)
        self._wake(self.next_at(now))
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Forget a request whose client has gone."""
        self.room.leave(waiter)

    def advance(self, now: float) -> None:
        """Serve those whose endpoint is open now, and tell those who have waited long enough."""
        if not self.room.present:  # cheaper than to ask for its length, at each event
            return
        self._advanced_at = now
        if self._busy:  # somebody's end is told while others are served: look once more
            self._again = True
            return
        self._busy = True
        try:
            self._again = True
            while self._again:
                self._again = False
                self._elapse(now)
                self._serve(now)
        finally:
            self._busy = False
        self._wake(self.next_at(now))

    def pool_changed(self, now: float) -> None:
        """Find out anew where those who wait would go best."""
        self._changed_at = now
        self.advance(now)

    def drain_s(self) -> int:
        """Return how long it will take until those who wait now are served, in whole seconds."""
        rate = self._served.per_second(self._advanced_at)
        seconds = len(self.room) / rate if rate > 0.0 else _LONGEST_DRAIN_S
        return max(1, math.ceil(min(seconds, _LONGEST_DRAIN_S)))

    def next_at(self, now: float) -> float:
        """Return when `advance` must be called though nothing happens; infinity: never."""
        if not self.room:
            return math.inf
        return max(now + _SHORTEST_TICK_S, min(self.room.next_at(), self._opens_at))

    def _serve(self, now: float) -> None:
        self._opens_at, left = math.inf, _RECONSIDERED
        enough = max(_LEAST_LOOKED_AT, _LOOKED_AT_FOR_EACH * self._endpoints)
        for waiter in self.room.first(min(LOOKED_AT, enough)):
            if waiter not in self.room:  # it left while another was told
                continue
            asked: Asked = waiter.request
            asked.part = self._part(waiter, now)
            stale = self._stale(asked, now)
            if stale and not left:
                stale, self._opens_at = False, now  # very soon
            if not stale and not self._is_open(asked, asked.best, now):
                continue
            left -= stale
            choice = self._consider(asked, now)
            if isinstance(choice, Refusal):  # there may be an endpoint before its time is over
                self._opens_at = min(self._opens_at, now + _RECONSIDERED_S)
                continue
            if self._is_open(asked, choice.decision.winner, now):
                self.room.serve(waiter)
                self._served.add(1.0, now)
                self._settle(waiter, self._reserve(choice, asked.flow, now), now)

    def _part(self, waiter: Waiter, now: float) -> float:
        part = self._courtesy.part(waiter.priority, waiter.flow, now)
        if not waiter.late:
            return part
        late_at, expires_at = waiter.late_at, waiter.expires_at
        return part * self._courtesy.late_part(waiter.priority, late_at, expires_at, now)

    def _reserve(self, choice: Choice, flow: str, now: float) -> Reservation:
        if flow:
            work = self.gate.work_s(choice.query, choice.decision.winner)
            self._courtesy.served(choice.query.priority, flow, work, now)
        return self._scheduler.reserve(choice)

    def _stale(self, asked: Asked, now: float) -> bool:
        """Tell whether another endpoint may be the best one for it by now."""
        considered_at = asked.considered_at
        return considered_at <= self._changed_at or now - considered_at >= _RECONSIDERED_S

    def _elapse(self, now: float) -> None:
        for waiter in self.room.elapsed(now):
            if waiter.expires_at <= now:
                self._expire(waiter, now)
            elif waiter.sheddable or self.settings.shed_late:
                self.room.leave(waiter)
                self._settle(waiter, Shed.LATE, now)
            else:
                self.room.defer(waiter)

    def _expire(self, waiter: Waiter, now: float) -> None:
        """Let it go where it can, open or not: whatever is wrong here, nobody waits for ever."""
        self.room.leave(waiter)
        asked: Asked = waiter.request
        if asked.deadline <= now:
            self._settle(waiter, Shed.DEADLINE, now)
            return
        if waiter.sheddable or self.settings.shed_expired:
            self._settle(waiter, Shed.EXPIRED, now)
            return
        choice = self._consider(asked, now)
        result = choice if isinstance(choice, Refusal) else self._reserve(choice, asked.flow, now)
        self._settle(waiter, result, now)

    def _consider(self, asked: Asked, now: float) -> Choice | Refusal:
        query = structs.replace(asked.query, now=now)
        endpoints = asked.endpoints()
        self._endpoints = len(endpoints)
        choice = self._scheduler.consider(query, endpoints, self._rng)
        asked.considered_at = now
        asked.best = None
        if isinstance(choice, Choice):
            asked.best = choice.decision.winner
        return choice

    def _is_open(self, asked: Asked, endpoint: Endpoint | None, now: float) -> bool:
        if endpoint is None:
            self._opens_at = min(self._opens_at, asked.considered_at + _RECONSIDERED_S)
            return False
        verdict = self.gate.verdict(endpoint, asked.tokens, asked.targets, now, asked.part)
        if verdict is OPEN:
            return True
        asked.why = verdict.why.value
        self._opens_at = min(self._opens_at, verdict.opens_at)
        return False

    def _waiter(self, asked: Asked, choice: Choice, size_bytes: int) -> Waiter:
        best, now, priority = choice.decision.winner, asked.query.now, asked.query.priority
        work = self.gate.work_s(choice.query, best)
        prefill_s = self.gate.prefill_s(best, work)
        refused = self.settings.shed_late or priority < 0
        return Waiter(
            now,
            asked,
            priority,
            asked.flow,
            work,
            size_bytes,
            now + patience_s(asked.targets.ttft_s, prefill_s, refused=refused),
            min(now + self.settings.ttl_s, asked.deadline),
        )

    def _make_room(self, waiter: Waiter, now: float) -> bool:
        """Refuse somebody who counts less, if there is anybody."""
        last = self.room.last()
        while last is not None and last.priority < waiter.priority:
            self.room.leave(last)
            self._settle(last, Shed.FULL, now)
            if self.room.fits(waiter):
                return True
            last = self.room.last()
        return False

    def _settle(self, waiter: Waiter, result: Reservation | Refusal | Shed, now: float) -> None:
        asked: Asked = waiter.request
        asked.settled(Answer(result, now - waiter.arrived_at, asked.why))
