"""What a request asks for, as far as it matters for choosing an endpoint."""

from __future__ import annotations

from collections.abc import Container, Mapping

import msgspec

from epp.openai.apis import PARSERS, find_api
from epp.openai.body import Body, Scalar
from epp.openai.invalid import Invalid
from epp.openai.json_policy import too_deep
from epp.openai.model import MODEL_MAX_BYTES, invalid_model, model_name

__all__ = [
    "DEFAULT_PARSERS",
    "MODEL_MAX_BYTES",
    "Invalid",
    "Request",
    "invalid_model",
    "parse",
    "request_path",
]

DEFAULT_PARSERS: Container[str] = PARSERS

_PATH_HEADERS = (":path", "x-original-path", "x-forwarded-path")
_DEFAULT_PATH = "/v1/completions"
_SHOWN_PATH_CHARS = 200
_MAX_TOKENS = 2**31  # more is no limit at all, and would overflow in somebody's float


class Request(msgspec.Struct, frozen=True):
    """The understood part of a request.

    `operation` is named as `gen_ai.operation.name` is in metrics. `model` is "" when the body does
    not say. `prompt` is for comparing prefixes (see prompt.py): a later turn extends an earlier.
    """

    operation: str
    model: str = ""
    prompt: str = ""
    stream: bool = False
    max_tokens: int | None = None
    cache_salt: str = ""


def request_path(headers: Mapping[str, str]) -> str:
    """Return the path that the client asked for, without query and trailing slash."""
    for name in _PATH_HEADERS:
        if path := headers.get(name):
            return path.partition("?")[0].rstrip("/") or "/"
    return _DEFAULT_PATH


def parse(
    path: str, content_type: str, body: bytes, parsers: Container[str] = DEFAULT_PARSERS
) -> Request | Invalid:
    """Understand `body` as the API of `path` (from request_path) has it."""
    api = find_api(path, parsers)
    if api is None:
        return _unclaimed(path, parsers)
    read = api.read(content_type, body)
    return read if isinstance(read, Invalid) else _understood(api.operation, read)


def _understood(operation: str, body: Body) -> Request | Invalid:
    model = model_name(body.model)
    if isinstance(model, Invalid):
        return model
    try:
        prompt = body.text()
    except RecursionError:  # what is just not too deep to decode can be so to walk
        return too_deep()
    if isinstance(prompt, Invalid):
        return prompt
    return Request(
        operation=operation,
        model=model,
        prompt=prompt,
        stream=body.stream is True,
        max_tokens=_tokens(body.output_limit()),
        cache_salt=body.cache_salt if isinstance(body.cache_salt, str) else "",
    )


def _tokens(limit: Scalar) -> int | None:
    """Take a limit that makes sense; whether another is an error is for the server to say."""
    if isinstance(limit, int) and not isinstance(limit, bool) and 0 <= limit < _MAX_TOKENS:
        return limit
    return None


def _unclaimed(path: str, parsers: Container[str]) -> Invalid:
    known = ", ".join(parser for parser in PARSERS if parser in parsers) or "none"
    return Invalid(
        f"No parser for path {path[:_SHOWN_PATH_CHARS]}: the parsers are {known}.",
        code="unknown_url",
    )
