"""How far the end of a connection has come."""

from __future__ import annotations

import enum


class Leaving(enum.IntEnum):
    """From a connection that stays to one that takes no more calls."""

    NO = enum.auto()
    ANNOUNCED = enum.auto()  # the peer may not know yet: what it opens meanwhile is served
    YES = enum.auto()
