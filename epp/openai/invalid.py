"""A request that cannot be served as it is, and why."""

from __future__ import annotations

import msgspec


class Invalid(msgspec.Struct, frozen=True):
    """What the client did wrong, in the words that OpenAI uses for it.

    The message never repeats the body: it ends up in answers and in logs.
    """

    message: str
    param: str | None = None
    code: str | None = None
    status: int = 400


def missing(param: str) -> Invalid:
    """Refuse a request that lacks `param`."""
    return Invalid(
        f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter"
    )


def empty(param: str) -> Invalid:
    """Refuse a `param` that is there but has nothing in it."""
    return Invalid(f"Invalid '{param}': it must not be empty.", param=param, code="empty_value")


def mistyped(param: str, expected: str) -> Invalid:
    """Refuse a `param` that is of another type than those `expected`."""
    return Invalid(
        f"Invalid type for '{param}': expected {expected}.", param=param, code="invalid_type"
    )
