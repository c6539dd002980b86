"""Lists of models, as OpenAI and Anthropic have them."""

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


class _AnthropicModel(msgspec.Struct):
    id: str
    display_name: str
    type: str = "model"
    created_at: str = "1970-01-01T00:00:00Z"  # Anthropic's own word for "not known"


class _AnthropicList(msgspec.Struct):
    data: list[_AnthropicModel]
    first_id: str | None
    last_id: str | None
    has_more: bool = False


def asked_model(path: str) -> str | None:
    """Return which model `path` (from request_path) asks about: "" for all, None for nothing."""
    _, found, name = path.partition("/v1/models/")
    if found:
        return name
    return "" if path == "/models" or path.endswith("/v1/models") else None


def list_body(models: Iterable[Model], *, anthropic: bool = False) -> bytes:
    """Return the answer of `GET /v1/models`, in the order of the names."""
    data = sorted(models, key=lambda model: model.id)
    if not anthropic:
        return msgspec.json.encode(_List(data))
    theirs = [_anthropic(model) for model in data]
    ends = (theirs[0].id, theirs[-1].id) if theirs else (None, None)
    return msgspec.json.encode(_AnthropicList(theirs, *ends))


def model_body(model: Model, *, anthropic: bool = False) -> bytes:
    """Return the answer of `GET /v1/models/{id}`."""
    return msgspec.json.encode(_anthropic(model) if anthropic else model)


def _anthropic(model: Model) -> _AnthropicModel:
    return _AnthropicModel(model.id, model.id)
