"""One timer for all that wait."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable


class Alarm:
    """Calls `ring` with the time when the earliest moment that was set has come.

    Where thousands of requests wait, their times are in one heap of the core's, and only the
    earliest is a timer of the event loop.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.ring: Callable[[float], None] = lambda _: None
        self._clock = clock
        self._at = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<Alarm at {self._at:g}>"

    def set(self, at: float) -> None:
        """Ring at the monotonic second `at`, and not later; infinity changes nothing."""
        if at >= self._at:
            return
        self.stop()
        self._at = at
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.0, at - self._clock()), self._ring)

    def stop(self) -> None:
        """Ring no more until it is set again."""
        self._at = math.inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self.stop()
        self.ring(self._clock())
