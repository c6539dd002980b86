"""A request that waits for an endpoint."""

from __future__ import annotations

import math
from typing import Any

import msgspec


class Waiter(msgspec.Struct, eq=False):
    """What decides about a request's turn; times are monotonic seconds."""

    arrived_at: float
    request: Any = None  # whatever the caller will need when the turn has come
    priority: int = 0  # higher goes first; below 0 may be refused
    flow: str = ""  # whose it is: the flows of one priority share fairly
    work: float = 0.0  # what serving it costs, in a unit that all waiters have
    size_bytes: int = 0  # what it holds while it waits
    late_at: float = math.inf  # from here on it cannot meet its target any more
    expires_at: float = math.inf  # it waits no longer than this
    late: bool = False

    @property
    def sheddable(self) -> bool:
        """Whether it is among the first to be refused."""
        return self.priority < 0

    @property
    def next_at(self) -> float:
        """When time alone changes something for it."""
        return self.expires_at if self.late else min(self.late_at, self.expires_at)
