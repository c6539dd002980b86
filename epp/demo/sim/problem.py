"""Answers that say no."""

from __future__ import annotations

from http import HTTPStatus

import msgspec

TYPES = {
    HTTPStatus.BAD_REQUEST: "BadRequestError",
    HTTPStatus.NOT_FOUND: "NotFoundError",
    HTTPStatus.INTERNAL_SERVER_ERROR: "InternalServerError",
}


class Problem(msgspec.Struct, frozen=True):
    """Why a request is refused, in the shape in which vLLM and OpenAI say it."""

    status: int
    message: str
    param: str | None = None

    def body(self) -> bytes:
        """Return the JSON."""
        status = HTTPStatus(self.status)
        error = {
            "message": self.message,
            "type": TYPES.get(status, status.phrase),
            "param": self.param,
            "code": self.status,
        }
        return msgspec.json.encode({"error": error})
