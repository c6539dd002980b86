"""What a request asks for, as far as it matters for choosing an endpoint."""

from __future__ import annotations

from collections.abc import Container, Mapping

import msgspec

from epp.openai.apis import PARSERS, Api, Read, find_api
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
    include_usage: bool = False  # a stream is to tell its usage at its end


def request_path(headers: Mapping[str, str]) -> str:
    """Return the path that the client asked for, without query and trailing slash."""
    for name in _PATH_HEADERS:
        if path := headers.get(name):
            return path.partition("?")[0].rstrip("/") or "/"
    return _DEFAULT_PATH


def parse(
    path: str,
    content_type: str,
    body: bytes,
    parsers: Container[str] = DEFAULT_PARSERS,
    read: Read = Api.read_leniently,
    *,
    forgiving: bool = False,
) -> Request | Invalid:
    """Understand `body` as the API of `path` (from request_path) has it.

    `forgiving`: what makes no sense counts as absent.
    """
    api = find_api(path, parsers)
    if api is None:
        return _unclaimed(path, parsers)
    body_read = read(api, content_type, body)
    if isinstance(body_read, Invalid):
        return body_read
    return _understood(api.operation, body_read, forgiving=forgiving)


def _understood(operation: str, body: Body, *, forgiving: bool) -> Request | Invalid:
    model, prompt = model_name(body.model), _prompt(body)
    for found in (model, prompt):
        if isinstance(found, Invalid) and not forgiving:
            return found
    return Request(
        operation=operation,
        model=model if isinstance(model, str) else "",
        prompt=prompt if isinstance(prompt, str) else "",
        stream=body.stream is True,
        max_tokens=_tokens(body.output_limit()),
        cache_salt=body.cache_salt if isinstance(body.cache_salt, str) else "",
        include_usage=body.includes_usage(),
    )


def _prompt(body: Body) -> str | Invalid:
    try:
        return body.text()
    except RecursionError:  # what is just not too deep to decode can be so to walk
        return too_deep()


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
