"""From a request to its destination: parse, choose, say it in headers and metadata."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable
from functools import partial
from typing import TYPE_CHECKING, overload

import msgspec
from msgspec import structs

from epp.exchange.actions import Route
from epp.exchange.events import Answered, Headers, Refused, Routed
from epp.exchange.request import DESTINATION
from epp.openai import request as openai
from epp.openai.validation import Validation, parser
from epp.pool.store import Store
from epp.routing import headers as names
from epp.routing import refusals, subset
from epp.routing.admission.admission import Admission
from epp.routing.admission.answer import Answer
from epp.routing.admission.closed import Closed
from epp.routing.admission.shed import Shed
from epp.routing.candidates import Candidates
from epp.routing.intent import Intent, intend
from epp.routing.issued import Issued
from epp.routing.known_tokens import KnownTokens
from epp.routing.labels import Labels
from epp.routing.listing import listing
from epp.routing.models import ModelTable
from epp.routing.placement import Placement
from epp.routing.reading import Reader
from epp.routing.rules import NoRules, Rules
from epp.routing.served import is_served
from epp.routing.waiting import Waiting
from epp.scheduling.decision import Refusal
from epp.scheduling.gate.gate import GATE
from epp.scheduling.gate.targets import Targets
from epp.scheduling.query import Query
from epp.scheduling.scheduler import Reservation, Scheduler
from epp.scheduling.tokens import Tokens

if TYPE_CHECKING:
    from random import Random

METADATA_NAMESPACE = "envoy.lb"


class RouterSettings(msgspec.Struct, frozen=True):
    """What a router may be told."""

    parsers: Container[str] = openai.DEFAULT_PARSERS
    validation: Validation = Validation.LENIENT
    models: ModelTable = ModelTable()
    max_load_age_s: float = 2.0  # an older reading of a server's metrics counts as none
    max_body_bytes: int = 16 * 1024 * 1024  # what a compressed body may expand to
    want_usage: bool = False  # have streams tell their usage, also where the client does not ask


class Router:
    """Routes requests to the endpoints of one pool. Rules and limit may be set at any time."""

    def __init__(
        self,
        store: Store,
        scheduler: Scheduler,
        rng: Random,
        settings: RouterSettings,
        admission: Admission | None = None,
    ) -> None:
        self.rules: Rules = NoRules()
        self.max_body_bytes = settings.max_body_bytes
        self.known_tokens: KnownTokens | None = None  # of prompts; None: nobody wants them
        self._store = store
        self._scheduler = scheduler
        self._admission = admission  # None: nobody waits
        self._advance = None if admission is None else admission.advance
        self._rng = rng
        self._settings = settings
        self._reader = Reader(parser(settings.parsers, settings.validation), settings.validation)
        self._known = frozenset(settings.models.models)
        self._issued = Issued()

    def __repr__(self) -> str:
        return f"<Router {self._store!r}, {len(self._issued)} open>"

    @overload
    def route(
        self,
        asked: Route,
        eligible: Iterable[str] | None,
        now: float,
        started_at: float | None = None,
        later: None = None,
    ) -> Placement: ...

    @overload
    def route(
        self,
        asked: Route,
        eligible: Iterable[str] | None,
        now: float,
        started_at: float | None,
        later: Callable[[Placement], None],
    ) -> Placement | Waiting: ...

    def route(
        self,
        asked: Route,
        eligible: Iterable[str] | None,
        now: float,
        started_at: float | None = None,
        later: Callable[[Placement], None] | None = None,
    ) -> Placement | Waiting:
        """Find the destination of a request.

        `eligible` is the proxy's subset of the pool, None where it gave none; `now` is monotonic
        seconds, and `started_at` is when the request began to arrive: its own timeout, if it has
        one, runs from there. The caller must `end` the placement, whatever becomes of the request.

        Where requests may wait, `later` gets the placement of one that does, in somebody else's
        turn; without `later` it does not wait.
        """
        began_at = now if started_at is None else started_at
        placed = self._route(asked, eligible, now, began_at, later)
        return placed if isinstance(placed, Waiting) else _with_path(placed, asked.headers)

    def _route(
        self,
        asked: Route,
        eligible: Iterable[str] | None,
        now: float,
        started_at: float,
        later: Callable[[Placement], None] | None,
    ) -> Placement | Waiting:
        if listed := self._listing(asked):
            return Placement(Labels(), listed)
        reading = self._reader.read(asked, self.max_body_bytes)
        if isinstance(reading, openai.Invalid):
            return Placement(Labels(), refusals.malformed(reading))
        settings = self._settings
        intent = intend(
            asked,
            reading,
            self.rules,
            settings.models,
            want_usage=settings.want_usage,
            started_at=started_at,
        )
        if intent.expired(now):
            return Placement(intent.labels, refusals.NOBODY_WAITS)
        if self._is_unknown(intent.labels.target_model):
            return Placement(intent.labels, refusals.unknown_model(intent.labels.target_model))
        if again := self._placed_before(asked.headers, eligible):
            return Placement(intent.labels, _routed(intent, again))
        candidates = Candidates(self._store, intent, eligible)
        if isinstance(found := candidates.find(), Refused):
            return Placement(intent.labels, found)
        query = self._query(intent, now)
        result: Reservation | Refusal | Closed
        if self._admission is None or later is None:  # nobody waits
            result = self._scheduler.schedule(query, found, self._rng)
        else:
            result = self._admission.admit(query, found, intent.labels.fairness_id)
            if isinstance(result, Closed):
                return self._wait(self._admission, result, intent, candidates, later)
        if isinstance(result, Refusal):
            return self._refused(intent, result)
        return self._placed(intent, result)

    def _listing(self, asked: Route) -> Answered | Refused | None:
        if not self._settings.models.list_models:
            return None
        return listing(asked, self._settings.models, self._store.snapshot().endpoints)

    def _is_unknown(self, model: str) -> bool:
        if not self._settings.models.refuse_unknown or not model:
            return False
        return not (
            model in self._known
            or self.rules.knows(model)
            or is_served(model, self._store.snapshot().endpoints)
        )

    def _placed_before(self, headers: Headers, eligible: Iterable[str] | None) -> str | None:
        destination = headers.get(DESTINATION, "")
        request_id = headers.get(names.REQUEST_ID, "")
        if not request_id or (request_id, destination) not in self._issued:
            return None
        endpoints = [self._store.get(address) for address in destination.split(",")]
        there = [endpoint for endpoint in endpoints if endpoint is not None]
        if eligible is not None:
            there = list(subset.inside(there, eligible))
        return destination if len(there) == len(endpoints) else None

    def _wait(
        self,
        admission: Admission,
        closed: Closed,
        intent: Intent,
        candidates: Candidates,
        later: Callable[[Placement], None],
    ) -> Placement | Waiting:
        def settled(answer: Answer) -> None:
            result = answer.result
            if isinstance(result, Reservation):
                result.waited(answer.waited_s, answer.why)
                placement = self._placed(intent, result)
            else:
                placement = self._refused(intent, result)
            placement.waited_s, placement.waited_for = answer.waited_s, answer.why
            later(_with_path(placement, intent.headers))

        size = len(intent.request.prompt) if intent.body is None else len(intent.body)
        deadline = math.inf if intent.deadline is None else intent.deadline
        waiter = admission.wait(closed, candidates.there, settled, size, deadline)
        if isinstance(waiter, Shed):
            return self._refused(intent, waiter)
        return Waiting(intent.labels, partial(admission.leave, waiter), closed.query.now)

    def _refused(self, intent: Intent, why: Refusal | Shed) -> Placement:
        if isinstance(why, Refusal):
            return Placement(intent.labels, refusals.exhausted(why))
        assert self._admission is not None
        placement = Placement(intent.labels, refusals.shed(why, self._admission.drain_s()))
        placement.shed = why
        return placement

    def _query(self, intent: Intent, now: float) -> Query:
        return Query(
            intent.labels.target_model,
            intent.request.prompt,
            intent.request.cache_salt,
            intent.headers,
            now,
            self._settings.max_load_age_s,
            intent.request.max_tokens,
            intent.labels.priority,
            intent.request.stream,
            tokens=self._tokens_of(intent),
        )

    def _tokens_of(self, intent: Intent) -> Tokens | None:
        if self.known_tokens is None:
            return None
        return self.known_tokens.find(intent.labels.target_model, intent.request.prompt)

    def _placed(self, intent: Intent, reservation: Reservation) -> Placement:
        picked = reservation.decision.picked
        destination = picked[0].address if len(picked) == 1 else ",".join(e.address for e in picked)
        pick = (intent.headers.get(names.REQUEST_ID, ""), destination)
        self._issued.add(pick)
        advance = self._advance

        def ended(now: float) -> None:
            self._issued.remove(pick)
            if advance is not None:
                advance(now)

        routed = _routed(intent, destination, reservation.response_headers)
        placement = Placement(intent.labels, routed, reservation, ended, advance)
        if advance is not None:
            placement.targets = reservation.query.fact(GATE, Targets)
        return placement


def _with_path(placement: Placement, headers: Headers) -> Placement:
    """Say for which API a refusal is: each has errors of its own shape."""
    if isinstance(placement.answer, Refused):
        path = openai.request_path(headers)
        placement.answer = structs.replace(placement.answer, path=path)
    return placement


def _routed(
    intent: Intent, destination: str, response_headers: Iterable[tuple[str, str]] = ()
) -> Routed:
    set_headers = [(DESTINATION, destination)]
    model = intent.labels.model
    if model and intent.headers.get(names.MODEL) != model:
        set_headers.append((names.MODEL, model))
    return Routed(
        set_headers,
        intent.remove_headers,
        {METADATA_NAMESPACE: {DESTINATION: destination}},
        tuple(response_headers),
        intent.body,
        intent.clear_route_cache,
        intent.edit,
    )
