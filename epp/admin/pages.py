"""The pages for operators: metrics, decisions, and whether the process lives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

import epp
from epp.telemetry import exposition
from epp.telemetry.decisions import Decided, Decisions, explain

_INDEX = f"""\
epp {epp.__version__}, an endpoint picker for Envoy

/metrics              Prometheus metrics; /metrics?name[]=NAME those samples alone
/decisions?limit=20   the last decisions and what led to each
/healthz              answers while the process lives
"""
_NO_DECISIONS = "No decisions are kept: start the picker with room for some (see its --help).\n"


class Pages:
    """Renders what the picker knows.

    A long page is made in slices with a turn of the event loop between them, so that requests do
    not wait for it. (A thread would hold the interpreter's lock for longer at a time.)
    """

    def __init__(
        self, registry: CollectorRegistry, decisions: Decisions, clock: Callable[[], float]
    ) -> None:
        self._registry = registry
        self._decisions = decisions
        self._clock = clock

    def application(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                Route("/", self._index),
                Route("/metrics", self._metrics),
                Route("/decisions", self._latest),
                Route("/healthz", self._healthz),
            ]
        )

    async def _index(self, _: Request) -> Response:
        return PlainTextResponse(_INDEX)

    async def _healthz(self, _: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def _metrics(self, request: Request) -> Response:
        wants_openmetrics = "application/openmetrics-text" in request.headers.get("accept", "")
        content_type = exposition.OPENMETRICS if wants_openmetrics else exposition.TEXT
        slices = []
        for text in exposition.render(self._asked_for(request).collect(), content_type):
            slices.append(text)
            await asyncio.sleep(0)
        return Response("".join(slices), headers={"content-type": content_type})

    def _asked_for(self, request: Request) -> Collector:
        names = request.query_params.getlist("name[]")
        return self._registry.restricted_registry(names) if names else self._registry

    async def _latest(self, request: Request) -> Response:
        if not self._decisions.capacity:
            return PlainTextResponse(_NO_DECISIONS, HTTPStatus.NOT_FOUND)
        limit = request.query_params.get("limit", "20")
        if not (limit.isascii() and limit.isdecimal() and len(limit) < 10):
            return PlainTextResponse(
                "limit: a number of decisions, such as 20\n", HTTPStatus.BAD_REQUEST
            )
        entries = []
        for entry in self._decisions.latest(int(limit)):
            entries.append(msgspec.json.encode(self._shown(entry)))
            await asyncio.sleep(0)
        return Response(b"[" + b",\n".join(entries) + b"]\n", media_type="application/json")

    def _shown(self, entry: Decided) -> dict[str, Any]:
        age = max(0.0, self._clock() - entry.decision.at)
        return {"age_s": round(age, 3), "request": entry.facts, **explain(entry.decision)}
