"""What goes back to a client: JSON, or a refusal as a Status object."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tests.fakekube.kinds import Json, Kind

REASONS = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound",
    405: "MethodNotAllowed", 409: "Conflict", 410: "Expired", 415: "UnsupportedMediaType",
    422: "Invalid", 429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable",
    504: "Timeout",
}  # fmt: skip


_NOTHING: Json = {}


class Answer(msgspec.Struct, frozen=True):
    """A whole HTTP answer."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = {}


class Refusal(Exception):  # noqa: N818 (a refusal is an answer, not an error of the server)
    """A request that the API server declines."""

    def __init__(
        self, status: int, message: str, reason: str = "", details: Json = _NOTHING
    ) -> None:
        super().__init__(message)
        self.code = status
        self.object: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason or REASONS[status],
            "details": details,
            "code": status,
        }

    @property
    def answer(self) -> Answer:
        return json_answer(self.object, self.code)


def json_answer(document: Json, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(document))


def about(kind: Kind, name: str = "") -> Json:
    """Return the `details` of a Status."""
    return {"name": name, "group": kind.group, "kind": kind.plural}


def not_served() -> Answer:
    """Return what a path without a resource behind it gets: no Status, but text."""
    return Answer(404, b"404 page not found\n", "text/plain; charset=utf-8")
