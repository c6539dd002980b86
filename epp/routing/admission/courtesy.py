"""Who must leave room for whom."""

from __future__ import annotations

import math

from epp.routing.admission.settings import AdmissionSettings
from epp.routing.admission.shares import Shares

_REMEMBERED_S = 60.0  # that requests of a priority came: more may follow


class Courtesy:
    """Finds the part of an endpoint's full work up to which a request may go there: 1 is all of it.

    A request that would fill an endpoint to the brim keeps those away that count more and come a
    moment later: what is running is not stopped for them.
    """

    def __init__(self, settings: AdmissionSettings) -> None:
        self._settings = settings
        self._seen: dict[int, float] = {}  # when a request of a priority came last
        self._shares: dict[int, Shares] = {}

    def __repr__(self) -> str:
        return f"<Courtesy among {len(self._seen)} priorities>"

    def arrived(self, priority: int, flow: str, now: float) -> float:
        """Take note of a request, and return its part."""
        self._seen[priority] = now
        if not flow and len(self._seen) == 1:  # as in most pools
            return 1.0
        return self.part(priority, flow, now)

    def served(self, priority: int, flow: str, work: float, now: float) -> None:
        """Take note of one that was let through; without a name, nobody shares."""
        if flow:
            if priority not in self._shares:
                self._shares[priority] = Shares()
            self._shares[priority].add(flow, work, now)

    def part(self, priority: int, flow: str, now: float) -> float:
        """Return what a request may fill that can still meet its target."""
        settings, part = self._settings, 1.0
        if len(self._seen) > 1 and self._higher_came(priority, now):
            part = settings.lower_part
        shares = self._shares.get(priority) if flow else None
        if shares is not None and shares.exceeded(flow, now):
            part = min(part, settings.greedy_part)
        return part

    def late_part(self, priority: int, late_at: float, expires_at: float, now: float) -> float:
        """Return what one may fill that cannot; the longer it has waited since, the more.

        Not while a flow takes more than its share: then the late are many, and what they fill keeps
        the others from being in time.
        """
        first, shares = self._settings.late_part, self._shares.get(priority)
        if expires_at == math.inf or expires_at <= late_at:
            return first
        if shares is not None and shares.contested(now):
            return first
        waited = min(1.0, max(0.0, (now - late_at) / (expires_at - late_at)))
        return first + (1.0 - first) * waited

    def _higher_came(self, priority: int, now: float) -> bool:
        return any(
            other > priority and now - at < _REMEMBERED_S for other, at in self._seen.items()
        )
