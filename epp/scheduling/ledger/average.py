"""An average that follows what was seen lately."""

from __future__ import annotations

_DECAY = 0.9  # of the weight of all before, at each new value: about the last ten count


class Average:
    """Newer values count more, and all of them count half after `half_life_s`."""

    __slots__ = ("_at", "_half_life_s", "_sum", "_weight")

    def __init__(self, half_life_s: float) -> None:
        self._half_life_s = half_life_s
        self._weight = 0.0
        self._sum = 0.0
        self._at = 0.0

    def __repr__(self) -> str:
        return f"<Average of {self._weight:.1f} values>"

    def add(self, value: float, now: float) -> None:
        """Take note of a value that was seen at the monotonic second `now`."""
        kept = _DECAY * self._kept(now)
        self._weight = self._weight * kept + 1.0
        self._sum = self._sum * kept + value
        self._at = max(self._at, now)

    def value(self) -> float | None:
        """Return the mean of what counts; None: nothing was seen."""
        return self._sum / self._weight if self._weight > 0.0 else None

    def towards(self, usual: float, now: float) -> float:
        """Return the mean of what counts and of one value that is usual.

        The longer nothing was seen, the nearer it is to `usual`.
        """
        kept = self._kept(now)
        return (self._sum * kept + usual) / (self._weight * kept + 1.0)

    def _kept(self, now: float) -> float:
        return float(0.5 ** (max(0.0, now - self._at) / self._half_life_s))
