"""Whether the picker has just begun."""

from __future__ import annotations

from collections.abc import Collection
from math import inf

from epp.scheduling.ledger.account import Account

_FIRST_RESIDENCE_S = 10.0  # of a request at its endpoint, until one has ended
_NEWEST = 0.05  # the weight of the last request in their mean
_COUNTED_FOR_S = 0.05


class Youth:
    """A picker is young while requests may be under way that one before it has sent: as long as
    requests take, if the endpoints tell of more than its books know.
    """

    def __init__(self) -> None:
        self.started_at: float | None = None
        self._residence_s = _FIRST_RESIDENCE_S
        self._count_again_at = -inf
        self._outnumbered = False

    def __repr__(self) -> str:
        return f"<Youth of {self._residence_s:.1f} s>"

    def ended(self, residence_s: float) -> None:
        """Take note of how long a request has taken."""
        self._residence_s += (max(0.0, residence_s) - self._residence_s) * _NEWEST

    def lasts(self, accounts: Collection[Account], now: float) -> bool:
        """Whether other requests are under way than these books know."""
        if self.started_at is None or now - self.started_at > self._residence_s:
            return False
        if now >= self._count_again_at:
            self._count_again_at = now + _COUNTED_FOR_S
            told = sum(account.told for account in accounts)
            unknown = sum(max(0, account.told - len(account)) for account in accounts)
            self._outnumbered = unknown > max(len(accounts), told / 2)
        return self._outnumbered
