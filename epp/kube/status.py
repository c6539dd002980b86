"""How the API says no: `Status` objects, or whatever stands in between says in plain text."""

from __future__ import annotations

import math
from http import HTTPStatus

import msgspec

from epp.kube.errors import NOT_AS_PROMISED, KubeError, ReportedError

_LONGEST_TEXT = 200


class StatusDetails(msgspec.Struct, frozen=True, rename="camel"):
    """`details` of a Status."""

    retry_after_seconds: float = 0.0


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """What a failed request or an ERROR event holds."""

    kind: str = ""
    code: int = 0
    reason: str = ""
    message: str = ""
    details: StatusDetails | None = None

    @property
    def retry_after_s(self) -> float:
        """When the server wants to be asked again."""
        return self.details.retry_after_seconds if self.details else 0.0


def refusal(code: int, body: bytes, retry_after: str = "") -> KubeError:
    """Return what an HTTP answer of `code` means; `retry_after` is its header."""
    try:
        status = msgspec.json.decode(body, type=Status)
    except NOT_AS_PROMISED:  # a proxy or a load balancer in front
        status = Status(message=body.decode(errors="replace").strip()[:_LONGEST_TEXT])
    message = status.message or _phrase(code)
    return KubeError(
        f"{code}: {message}",
        status=code,
        reason=status.reason,
        retry_after_s=_seconds(retry_after) or status.retry_after_s,
    )


def reported(event_object: bytes | msgspec.Raw) -> ReportedError:
    """Return what the object of an ERROR event means."""
    try:
        status = msgspec.json.decode(event_object, type=Status)
    except NOT_AS_PROMISED:
        status = Status(message="an ERROR event without a Status")
    return ReportedError(
        f"{status.code}: {status.message or status.reason}",
        status=status.code,
        reason=status.reason,
        retry_after_s=status.retry_after_s,
    )


def _phrase(code: int) -> str:
    try:
        return HTTPStatus(code).phrase
    except ValueError:
        return "no text"


def _seconds(header: str) -> float:
    """Read Retry-After; the API server gives seconds, never a date."""
    try:
        seconds = float(header)
    except ValueError:
        return 0.0
    return seconds if 0 < seconds < math.inf else 0.0
