"""How long the servers take, compared with what the coefficients say."""

from __future__ import annotations

_DECAY = 0.98  # of an endpoint's evidence, at each new observation
_SHRINKAGE = 0.4  # weight of the pool's ratio, as a share of the mean evidence
_DEADBAND = 0.15  # a smaller difference is noise, and to follow it makes requests swing
_LOWEST, _HIGHEST = 0.2, 6.0
_PRIOR_S = 5.0  # of evidence that the coefficients are right


class Speed:
    """The evidence about one endpoint: seconds observed and predicted, older ones counting less."""

    __slots__ = ("factor", "observed_s", "predicted_s")

    def __init__(self) -> None:
        self.observed_s = 0.0
        self.predicted_s = 0.0
        self.factor = 1.0  # above 1: slower than the pool

    def __repr__(self) -> str:
        return f"<Speed {self.factor:.2f}, {self.predicted_s:.1f} s of evidence>"


class Speeds:
    """All endpoints together: their common ratio, and each one's factor on it."""

    def __init__(self) -> None:
        self._known: set[Speed] = set()
        self._observed_s = 0.0
        self._predicted_s = 0.0
        self._prior_s = _PRIOR_S
        # What the pool takes, as a multiple of what the coefficients say: read more than learned.
        self.ratio = 1.0

    def __repr__(self) -> str:
        return f"<Speeds {self.ratio:.2f} of {len(self._known)} endpoints>"

    @property
    def plausible(self) -> bool:
        """Whether the coefficients say anything about this pool."""
        return _LOWEST < self.ratio < _HIGHEST

    @property
    def _raw(self) -> float:
        return (self._observed_s + self._prior_s) / (self._predicted_s + self._prior_s)

    def learn(self, speed: Speed, observed_s: float, predicted_s: float) -> None:
        """Take note of a time to the first token."""
        if observed_s <= 0.0 or predicted_s <= 0.0:
            return
        observed = speed.observed_s * _DECAY + observed_s
        predicted = speed.predicted_s * _DECAY + predicted_s
        self._observed_s += observed - speed.observed_s
        self._predicted_s += predicted - speed.predicted_s
        speed.observed_s, speed.predicted_s = observed, predicted
        self._prior_s *= _DECAY
        self._known.add(speed)
        self._weigh()
        speed.factor = self._factor(speed)

    def forget(self, speed: Speed) -> None:
        """Drop the evidence about an endpoint."""
        if speed in self._known:
            self._known.discard(speed)
            # Added up anew, so that what rounding leaves behind does not pile up.
            self._observed_s = sum(known.observed_s for known in self._known)
            self._predicted_s = sum(known.predicted_s for known in self._known)
            self._weigh()

    def _weigh(self) -> None:
        self.ratio = min(_HIGHEST, max(_LOWEST, self._raw))

    def _factor(self, speed: Speed) -> float:
        pool = self._raw
        weight_s = _SHRINKAGE * self._predicted_s / len(self._known)
        own = (speed.observed_s + weight_s * pool) / (speed.predicted_s + weight_s)
        factor = own / pool
        if abs(factor - 1.0) <= _DEADBAND:
            return 1.0
        return min(_HIGHEST, max(_LOWEST, factor))
