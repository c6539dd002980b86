"""Whether what the index predicts is what the servers report."""

from __future__ import annotations

from epp.scheduling.figure import Figure

_DECAY = 0.99
# Of the predicted tokens. Under load a server lacks some in any case, as the requests that run take
# the room of what was cached, and to believe it less for that makes choices worse (simulated).
_TOLERANCE = 0.5
_ENOUGH = 20_000.0  # predicted tokens, before anything is concluded


class _Evidence:
    __slots__ = ("predicted", "reported")

    def __init__(self) -> None:
        self.predicted = 0.0
        self.reported = 0.0

    @property
    def trust(self) -> float:
        if self.predicted < _ENOUGH or self.reported >= _TOLERANCE * self.predicted:
            return 1.0
        return self.reported / self.predicted


class CacheTruth:
    """Compares for each endpoint, from the usage in its answers."""

    def __init__(self) -> None:
        self._evidence: dict[str, _Evidence] = {}
        self._distrusted: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"<CacheTruth {len(self._distrusted)} of {len(self._evidence)} distrusted>"

    @property
    def trust(self) -> dict[str, float]:
        """The share of predicted tokens that was there, of the endpoints that had too little."""
        return self._distrusted

    def learn(self, address: str, predicted: float, reported: int) -> None:
        """Take note of the cached tokens that an endpoint reported for one request."""
        known = self._evidence.setdefault(address, _Evidence())
        known.predicted = known.predicted * _DECAY + predicted
        known.reported = known.reported * _DECAY + min(float(reported), predicted)
        trust = known.trust
        if trust == self._distrusted.get(address, 1.0):
            return
        changed = {
            **self._distrusted,
            address: trust,
        }  # a fact of an earlier request stays as it is
        self._distrusted = {a: t for a, t in changed.items() if t < 1.0}

    def forget(self, address: str) -> None:
        """Drop what is known of an endpoint."""
        self._evidence.pop(address, None)
        self._distrusted = {a: t for a, t in self._distrusted.items() if a != address}

    def figures(self, name: str) -> list[Figure]:
        """Return the trust in each endpoint that reports cached tokens, as the metric `name`."""
        text = (
            "Cached tokens that the endpoint reports, as a share of those predicted; 1 if enough."
        )
        return [
            Figure(name, text, known.trust, address) for address, known in self._evidence.items()
        ]
