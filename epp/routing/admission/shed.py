"""Refused though there are endpoints."""

from __future__ import annotations

import enum


class Shed(enum.Enum):
    """Why a request is refused that waited, or would have to."""

    FULL = "full"
    LATE = "late"
    EXPIRED = "expired"
    DEADLINE = "deadline"  # the client's own
