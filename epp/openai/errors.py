"""Errors in OpenAI's shape, which every client library reads."""

from __future__ import annotations

import msgspec

# The types that OpenAI documents. For 429 it sends the name of the budget that is used up instead
# ("requests", "tokens"); here no budget is, the pool is full, so this is the class of the error.
_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
}
# What client libraries look at before they wait and try again.
_CODES = {429: "rate_limit_exceeded"}


class _Error(msgspec.Struct):
    message: str
    type: str
    code: str | None
    param: str | None


class _Body(msgspec.Struct):
    error: _Error


def error_type(status: int) -> str:
    """Return the class of error that `status` stands for."""
    return _TYPES.get(status) or ("server_error" if status >= 500 else "invalid_request_error")


def error_body(
    status: int, message: str, *, code: str | None = None, param: str | None = None
) -> bytes:
    """Return `{"error": {"message", "type", "code", "param"}}` as JSON."""
    printable = message.encode(errors="replace").decode()  # a header may have broken characters
    error = _Error(printable, error_type(status), code or _CODES.get(status), param)
    return msgspec.json.encode(_Body(error))
