"""How long decode steps take, compared with what the coefficients say."""

from __future__ import annotations

_DECAY = 0.99
_TRUSTED_S = 0.2  # of predicted steps: less evidence than this says nothing of an endpoint
_LOWEST, _HIGHEST = 0.05, 20.0
_DEADBAND = 0.35  # a smaller difference is noise: one measurement is one request among many


class Pace:
    """Seconds observed and predicted, older ones counting less."""

    __slots__ = ("_observed_s", "_predicted_s", "factor")

    def __init__(self) -> None:
        self._observed_s = 0.0
        self._predicted_s = 0.0
        self.factor: float | None = None  # of the one on the other; None: not enough is known

    def __repr__(self) -> str:
        return f"<Pace {self.factor} of {self._predicted_s:.1f} s>"

    def learn(self, observed_s: float, predicted_s: float) -> None:
        """Take note of one more."""
        observed_s = self._observed_s = self._observed_s * _DECAY + observed_s
        predicted_s = self._predicted_s = self._predicted_s * _DECAY + predicted_s
        if predicted_s < _TRUSTED_S:
            self.factor = None
        elif abs(observed_s / predicted_s - 1.0) <= _DEADBAND:
            self.factor = 1.0
        else:
            self.factor = min(_HIGHEST, max(_LOWEST, observed_s / predicted_s))


class Paces:
    """Measured over predicted steps, of each endpoint and of the pool."""

    __slots__ = ("_own", "_pool")

    def __init__(self) -> None:
        self._pool = Pace()
        self._own: dict[str, Pace] = {}

    def __repr__(self) -> str:
        return f"<Paces of {len(self._own)} endpoints>"

    def learn(self, address: str, observed_s: float, predicted_s: float) -> None:
        """Take note of the mean time between tokens, and of what had been expected."""
        if observed_s <= 0.0 or predicted_s <= 0.0:
            return
        if address not in self._own:
            self._own[address] = Pace()
        self._pool.learn(observed_s, predicted_s)
        self._own[address].learn(observed_s, predicted_s)

    def of(self, address: str) -> float | None:
        """Return the factor of an endpoint, else of the pool; None: nothing was measured."""
        own = self._own.get(address)
        return self._pool.factor if own is None or own.factor is None else own.factor

    def forget(self, address: str) -> None:
        """Drop what is known of an endpoint that left."""
        self._own.pop(address, None)
