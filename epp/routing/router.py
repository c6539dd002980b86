"""From a request to its destination: parse, choose, say it in headers and metadata."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import TYPE_CHECKING

import msgspec

from epp.exchange.actions import Route
from epp.exchange.events import Headers, Refused, Routed
from epp.exchange.request import DESTINATION
from epp.openai import request as openai
from epp.openai.prompt import opening
from epp.openai.rewrite import with_model
from epp.pool.store import Store
from epp.routing import headers as names
from epp.routing import refusals, subset
from epp.routing.issued import Issued
from epp.routing.labels import Labels
from epp.routing.placement import Placement
from epp.routing.rules import NoRules, Rules
from epp.scheduling.decision import Refusal
from epp.scheduling.query import Query
from epp.scheduling.scheduler import Reservation, Scheduler

if TYPE_CHECKING:
    from random import Random

METADATA_NAMESPACE = "envoy.lb"
_NO_MODEL_NEEDED = frozenset({"passthrough", "count_tokens", "tokenize"})
_PLAIN = frozenset({"", "identity"})
_UNREAD = openai.Request("passthrough")


class RouterSettings(msgspec.Struct, frozen=True):
    """What a router may be told."""

    parsers: Container[str] = openai.DEFAULT_PARSERS
    max_load_age_s: float = 2.0  # an older reading of a server's metrics counts as none


class Intent(msgspec.Struct, frozen=True):
    """What a request asks for, understood."""

    headers: Headers
    request: openai.Request
    labels: Labels
    body: bytes | None  # in place of the client's


class Router:
    """Routes requests to the endpoints of one pool. `rules` may be set at any time."""

    def __init__(
        self, store: Store, scheduler: Scheduler, rng: Random, settings: RouterSettings
    ) -> None:
        self.rules: Rules = NoRules()
        self._store = store
        self._scheduler = scheduler
        self._rng = rng
        self._settings = settings
        self._issued = Issued()

    def __repr__(self) -> str:
        return f"<Router {self._store!r}, {len(self._issued)} open>"

    def route(self, asked: Route, eligible: Iterable[str] | None, now: float) -> Placement:
        """Find the destination of a request.

        `eligible` is the proxy's subset of the pool, None where it gave none; `now` is monotonic
        seconds. The caller must `end` the placement, whatever becomes of the request.
        """
        read = self._read(asked)
        if isinstance(read, openai.Invalid):
            return Placement(Labels(), refusals.malformed(read))
        model = asked.headers.get(names.MODEL) or read.model
        if refused := _refuse_model(read, model, parsed=asked.body is not None):
            return Placement(Labels(), refused)
        intent = self._intent(asked, read, model)
        if again := self._placed_before(asked.headers, eligible):
            return Placement(intent.labels, _routed(intent, again))
        return self._place(intent, eligible, now)

    def _read(self, asked: Route) -> openai.Request | openai.Invalid:
        headers = asked.headers
        if asked.body is None or headers.get(":method", "POST") != "POST":
            return _UNREAD
        if headers.get("content-encoding", "").lower() not in _PLAIN:
            return _UNREAD if headers.get(names.MODEL) else refusals.ENCODED
        return openai.parse(
            openai.request_path(headers),
            headers.get("content-type", ""),
            asked.body,
            self._settings.parsers,
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

    def _intent(self, asked: Route, request: openai.Request, model: str) -> Intent:
        headers = asked.headers

        def conversation() -> str:
            return names.first(headers, names.SESSION) or opening(request.prompt)

        target = self.rules.target(model, conversation) or names.first(headers, names.REWRITE)
        body = None
        if target and target != model and asked.body is not None:
            body = with_model(asked.body, target)
        labels = Labels(
            model,
            model if body is None else target,
            names.first(headers, names.FAIRNESS_ID),
            self.rules.priority(names.first(headers, names.OBJECTIVE)),
        )
        return Intent(headers, request, labels, body)

    def _place(self, intent: Intent, eligible: Iterable[str] | None, now: float) -> Placement:
        endpoints = self._store.snapshot().endpoints
        if eligible is not None and endpoints:
            endpoints = tuple(subset.inside(endpoints, eligible))
            if not endpoints:
                return Placement(intent.labels, refusals.NOBODY_ELIGIBLE)
        query = Query(
            intent.labels.target_model,
            intent.request.prompt,
            intent.request.cache_salt,
            intent.headers,
            now,
            self._settings.max_load_age_s,
            intent.request.max_tokens,
            intent.labels.priority,
            intent.request.stream,
        )
        reservation = self._scheduler.schedule(query, endpoints, self._rng)
        if isinstance(reservation, Refusal):
            return Placement(intent.labels, refusals.exhausted(reservation))
        return self._placed(intent, reservation)

    def _placed(self, intent: Intent, reservation: Reservation) -> Placement:
        destination = ",".join(e.address for e in reservation.decision.picked)
        pick = (intent.headers.get(names.REQUEST_ID, ""), destination)
        self._issued.add(pick)
        return Placement(
            intent.labels,
            _routed(intent, destination, reservation.response_headers()),
            reservation,
            lambda: self._issued.remove(pick),
        )


def _refuse_model(request: openai.Request, model: str, *, parsed: bool) -> Refused | None:
    if not model:
        needed = parsed and request.operation not in _NO_MODEL_NEEDED
        return refusals.malformed(refusals.MODEL_MISSING) if needed else None
    invalid = openai.invalid_model(model)
    return refusals.malformed(invalid) if invalid else None


def _routed(
    intent: Intent, destination: str, response_headers: Iterable[tuple[str, str]] = ()
) -> Routed:
    set_headers = [(DESTINATION, destination)]
    model = intent.labels.model
    if model and intent.headers.get(names.MODEL) != model:
        set_headers.append((names.MODEL, model))
    return Routed(
        set_headers,
        names.control(intent.headers),
        {METADATA_NAMESPACE: {DESTINATION: destination}},
        tuple(response_headers),
        intent.body,
    )
