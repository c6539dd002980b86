"""The picker's own answer to the question which models there are."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from epp.exchange.actions import Route
from epp.exchange.events import Answered, Refused
from epp.openai.models import Model, asked_model, list_body, model_body
from epp.openai.request import request_path
from epp.pool.endpoint import Endpoint
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
    if not name:
        return _json(list_body(models.values()))
    found = models.get(unquote(name))
    return refusals.unknown_model(unquote(name)) if found is None else _json(model_body(found))


def _models(table: ModelTable, endpoints: Iterable[Endpoint]) -> dict[str, Model]:
    names = {name: Model(name) for name in served(endpoints) or ()}
    named = {name: Model(name, entry.parent or None) for name, entry in table.entries.items()}
    return names | named


def _json(body: bytes) -> Answered:
    return Answered(200, (("content-type", "application/json"),), body)
