"""Errors in OpenAI's shape, which every client library reads."""

from __future__ import annotations

import msgspec

# OpenAI names the budget here that is used up ("requests", "tokens"). The picker has no budgets,
# its pool is full, so this is the class of the error; the code is OpenAI's, programs look at it.
_TOO_MANY = "rate_limit_error"
_TOO_MANY_CODE = "rate_limit_exceeded"


class _Error(msgspec.Struct):
    message: str
    type: str
    code: str | None
    param: str | None


class _Body(msgspec.Struct):
    error: _Error


def error_type(status: int) -> str:
    """Return the class of error that `status` stands for."""
    if status == 429:
        return _TOO_MANY
    return "server_error" if status >= 500 else "invalid_request_error"


def error_body(
    status: int, message: str, *, code: str | None = None, param: str | None = None
) -> bytes:
    """Return `{"error": {"message", "type", "code", "param"}}` as JSON."""
    if code is None and status == 429:
        code = _TOO_MANY_CODE
    printable = message.encode(errors="replace").decode()  # a path may have broken characters
    error = _Error(printable, error_type(status), code, param)
    return msgspec.json.encode(_Body(error))
