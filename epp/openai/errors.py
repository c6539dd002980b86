"""Errors in the shapes of OpenAI and Anthropic, which every client library reads."""

from __future__ import annotations

import msgspec

# OpenAI names the budget here that is used up ("requests", "tokens"). The picker has no budgets,
# its pool is full, so this is the class of the error; the code is OpenAI's, programs look at it.
_TOO_MANY = "rate_limit_error"
_TOO_MANY_CODE = "rate_limit_exceeded"


_GRPC_STATUSES = {
    400: 3,  # INVALID_ARGUMENT
    404: 5,  # NOT_FOUND
    413: 8,  # RESOURCE_EXHAUSTED
    415: 3,
    429: 8,
    503: 14,  # UNAVAILABLE
    504: 4,  # DEADLINE_EXCEEDED
}
_GRPC_INTERNAL = 13


class _Error(msgspec.Struct):
    message: str
    type: str
    code: str | None
    param: str | None


class _Body(msgspec.Struct):
    error: _Error


class _AnthropicBody(msgspec.Struct):
    error: _Error  # `code` and `param` are not Anthropic's, and not in the way
    type: str = "error"


_ANTHROPIC_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: _TOO_MANY,
    503: "overloaded_error",
    504: "timeout_error",
}


def error_type(status: int) -> str:
    """Return the class of error that `status` stands for."""
    if status == 429:
        return _TOO_MANY
    return "server_error" if status >= 500 else "invalid_request_error"


def error_body(
    status: int, message: str, *, code: str | None = None, param: str | None = None
) -> bytes:
    """Return `{"error": {"message", "type", "code", "param"}}` as JSON."""
    return msgspec.json.encode(_Body(_error(status, error_type(status), message, code, param)))


def anthropic_error_body(
    status: int, message: str, *, code: str | None = None, param: str | None = None
) -> bytes:
    """Return `{"type": "error", "error": {"type", "message", ...}}` as JSON."""
    default = "api_error" if status >= 500 else "invalid_request_error"
    kind = _ANTHROPIC_TYPES.get(status, default)
    return msgspec.json.encode(_AnthropicBody(_error(status, kind, message, code, param)))


def grpc_status(status: int) -> int:
    """Return the status that a gRPC client is to see for an HTTP one."""
    return _GRPC_STATUSES.get(status, _GRPC_INTERNAL)


def _error(status: int, kind: str, message: str, code: str | None, param: str | None) -> _Error:
    if code is None and status == 429:
        code = _TOO_MANY_CODE
    printable = message.encode(errors="replace").decode()  # a path may have broken characters
    return _Error(printable, kind, code, param)
