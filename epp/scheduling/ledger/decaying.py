"""A sum that forgets."""

from __future__ import annotations

from math import exp


class DecayingSum:
    """What was added lately: each amount falls to 1/e of itself in `period_s`."""

    __slots__ = ("_at", "_period_s", "_sum")

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._sum = 0.0
        self._at = 0.0

    def __repr__(self) -> str:
        return f"<DecayingSum {self._sum:g} at {self._at:g}>"

    def add(self, amount: float, now: float) -> None:
        """Add `amount` at the monotonic second `now`."""
        self._sum = self._left(now) + amount
        self._at = max(self._at, now)

    def per_second(self, now: float) -> float:
        """Return the rate at which amounts were added lately."""
        return self._left(now) / self._period_s if self._sum else 0.0

    def _left(self, now: float) -> float:
        passed = now - self._at
        return self._sum * exp(-passed / self._period_s) if passed > 0.0 else self._sum
