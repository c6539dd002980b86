"""How much of the pool each flow of one priority has had lately."""

from __future__ import annotations

from math import inf

from epp.scheduling.ledger.decaying import DecayingSum

_PERIOD_S = 20.0
_GONE_S = 60.0  # without service: then a flow is no longer among those who share
_MORE = 1.5  # times an equal share: less is chance
_MOST_FLOWS = 1024  # clients choose the names


class Shares:
    """Work let through, by flow, whether it had to wait or not; older work counts less."""

    __slots__ = ("_exceeded_at", "_flows", "_total")

    def __init__(self) -> None:
        self._exceeded_at = -inf  # by any flow
        self._flows: dict[str, _Service] = {}  # longest without service first
        self._total = DecayingSum(_PERIOD_S)

    def __repr__(self) -> str:
        return f"<Shares of {len(self._flows)} flows>"

    def add(self, flow: str, work: float, now: float) -> None:
        """Count what was let through."""
        service = self._flows.pop(flow, None) or _Service()
        self._flows[flow] = service
        service.at = now
        service.work.add(work, now)
        self._total.add(work, now)
        if self.exceeded(flow, now):
            self._exceeded_at = now
        first = next(iter(self._flows))
        if len(self._flows) > _MOST_FLOWS or now - self._flows[first].at > _GONE_S:
            del self._flows[first]

    def exceeded(self, flow: str, now: float) -> bool:
        """Tell whether a flow has had clearly more than an equal share."""
        service = self._flows.get(flow)
        if service is None or len(self._flows) < 2:
            return False
        equal = self._total.per_second(now) / len(self._flows)
        return service.work.per_second(now) > _MORE * equal

    def contested(self, now: float) -> bool:
        """Tell whether some flow took clearly more than an equal share lately."""
        return now - self._exceeded_at < _PERIOD_S


class _Service:
    __slots__ = ("at", "work")

    def __init__(self) -> None:
        self.at = 0.0
        self.work = DecayingSum(_PERIOD_S)
