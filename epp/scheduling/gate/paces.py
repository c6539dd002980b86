"""How long decode steps take, compared with what the coefficients say."""

from __future__ import annotations

_DECAY = 0.99
_TRUSTED_S = 0.2  # of predicted steps: less evidence than this says nothing of an endpoint
_LOWEST, _HIGHEST = 0.05, 20.0
_DEADBAND = 0.35  # a smaller difference is noise: one measurement is one request among many


class Paces:
    """Measured over predicted steps, of each endpoint and of the pool; older ones count less."""

    __slots__ = ("_own", "_pool")

    def __init__(self) -> None:
        self._pool = (0.0, 0.0)  # seconds observed, seconds predicted
        self._own: dict[str, tuple[float, float]] = {}

    def __repr__(self) -> str:
        return f"<Paces of {len(self._own)} endpoints>"

    def learn(self, address: str, observed_s: float, predicted_s: float) -> None:
        """Take note of the mean time between tokens, and of what had been expected."""
        if observed_s <= 0.0 or predicted_s <= 0.0:
            return
        self._pool = _more(self._pool, observed_s, predicted_s)
        self._own[address] = _more(self._own.get(address, (0.0, 0.0)), observed_s, predicted_s)

    def of(self, address: str) -> float | None:
        """Return the factor of an endpoint, else of the pool; None: nothing was measured."""
        for observed_s, predicted_s in (self._own.get(address, (0.0, 0.0)), self._pool):
            if predicted_s >= _TRUSTED_S:
                return _steadied(observed_s / predicted_s)
        return None

    def forget(self, address: str) -> None:
        """Drop what is known of an endpoint that left."""
        self._own.pop(address, None)


def _more(sums: tuple[float, float], observed_s: float, predicted_s: float) -> tuple[float, float]:
    return sums[0] * _DECAY + observed_s, sums[1] * _DECAY + predicted_s


def _steadied(factor: float) -> float:
    if abs(factor - 1.0) <= _DEADBAND:
        return 1.0
    return min(_HIGHEST, max(_LOWEST, factor))
