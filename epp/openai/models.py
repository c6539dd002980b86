"""OpenAI's list of models."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

_OWNER = "endpoint-picker"


class Model(msgspec.Struct, frozen=True):
    """One model; `parent` is the base model of an adapter, as vLLM tells it.

    When a model was made nobody here knows, and clients want a number.
    """

    id: str
    parent: str | None = None
    object: str = "model"
    created: int = 0
    owned_by: str = _OWNER


class _List(msgspec.Struct):
    data: list[Model]
    object: str = "list"


def asked_model(path: str) -> str | None:
    """Return which model `path` (from request_path) asks about: "" for all, None for nothing."""
    _, found, name = path.partition("/v1/models/")
    if found:
        return name
    return "" if path == "/models" or path.endswith("/v1/models") else None


def list_body(models: Iterable[Model]) -> bytes:
    """Return the answer of `GET /v1/models`, in the order of the names."""
    return msgspec.json.encode(_List(sorted(models, key=lambda model: model.id)))


def model_body(model: Model) -> bytes:
    """Return the answer of `GET /v1/models/{id}`."""
    return msgspec.json.encode(model)
