"""From a request to its destination: parse, choose, say it in headers and metadata."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import TYPE_CHECKING

import msgspec

from epp.exchange.actions import Route
from epp.exchange.events import Headers, Refused, Routed
from epp.exchange.request import DESTINATION
from epp.openai import request as openai
from epp.pool.store import Store
from epp.routing import headers as names
from epp.routing import refusals, subset
from epp.routing.issued import Issued
from epp.routing.placement import Placement
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


class Router:
    """Routes requests to the endpoints of one pool."""

    def __init__(
        self, store: Store, scheduler: Scheduler, rng: Random, settings: RouterSettings
    ) -> None:
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
            return Placement("", refusals.malformed(read))
        model = asked.headers.get(names.MODEL) or read.model
        if refused := _refuse_model(read, model, parsed=asked.body is not None):
            return Placement("", refused)
        if again := self._placed_before(asked.headers, eligible):
            return Placement(model, _routed(asked.headers, model, again))
        return self._place(asked.headers, read, model, eligible, now)

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

    def _place(
        self,
        headers: Headers,
        request: openai.Request,
        model: str,
        eligible: Iterable[str] | None,
        now: float,
    ) -> Placement:
        endpoints = self._store.snapshot().endpoints
        if eligible is not None and endpoints:
            endpoints = tuple(subset.inside(endpoints, eligible))
            if not endpoints:
                return Placement(model, refusals.NOBODY_ELIGIBLE)
        query = Query(
            model, request.prompt, request.cache_salt, headers, now, self._settings.max_load_age_s
        )
        reservation = self._scheduler.schedule(query, endpoints, self._rng)
        if isinstance(reservation, Refusal):
            return Placement(model, refusals.exhausted(reservation))
        return self._placed(headers, model, reservation)

    def _placed(self, headers: Headers, model: str, reservation: Reservation) -> Placement:
        destination = ",".join(e.address for e in reservation.decision.picked)
        pick = (headers.get(names.REQUEST_ID, ""), destination)
        self._issued.add(pick)
        return Placement(
            model,
            _routed(headers, model, destination, reservation.response_headers()),
            reservation,
            lambda: self._issued.remove(pick),
            names.first(headers, names.FAIRNESS_ID),
        )


def _refuse_model(request: openai.Request, model: str, *, parsed: bool) -> Refused | None:
    if not model:
        needed = parsed and request.operation not in _NO_MODEL_NEEDED
        return refusals.malformed(refusals.MODEL_MISSING) if needed else None
    invalid = openai.invalid_model(model)
    return refusals.malformed(invalid) if invalid else None


def _routed(
    headers: Headers,
    model: str,
    destination: str,
    response_headers: Iterable[tuple[str, str]] = (),
) -> Routed:
    set_headers = [(DESTINATION, destination)]
    if model and headers.get(names.MODEL) != model:
        set_headers.append((names.MODEL, model))
    return Routed(
        set_headers,
        names.control(headers),
        {METADATA_NAMESPACE: {DESTINATION: destination}},
        tuple(response_headers),
    )
