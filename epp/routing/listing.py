"""The picker's own answer to the question which models there are."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from epp.exchange.actions import Route
from epp.exchange.events import Answered, Refused
from epp.openai.models import Model, asked_model, list_body, model_body
from epp.openai.request import request_path
from epp.pool.endpoint import Endpoint
from epp.routing import headers as names
from epp.routing import refusals
from epp.routing.models import ModelTable
from epp.routing.served import served


def listing(
    asked: Route, table: ModelTable, endpoints: Iterable[Endpoint]
) -> Answered | Refused | None:
    """Answer `GET /v1/models` and `/v1/models/{id}`; None: this is for an endpoint to answer.

    So is a list of which neither the table nor any endpoint knows a model.
    """
    if asked.headers.get(":method") != "GET":
        return None
    name = asked_model(request_path(asked.headers))
    if name is None:
        return None
    models = _models(table, endpoints)
    if not models:
        return None
    anthropic = names.ANTHROPIC in asked.headers
    if not name:
        return _json(list_body(models.values(), anthropic=anthropic))
    found = models.get(unquote(name))
    if found is None:
        return refusals.unknown_model(unquote(name))
    return _json(model_body(found, anthropic=anthropic))


def _models(table: ModelTable, endpoints: Iterable[Endpoint]) -> dict[str, Model]:
    said = {name: Model(name) for name in served(endpoints) or ()}
    named = {name: Model(name, entry.parent or None) for name, entry in table.entries.items()}
    return said | named


def _json(body: bytes) -> Answered:
    return Answered(200, (("content-type", "application/json"),), body)
