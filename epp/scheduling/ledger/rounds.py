"""Whose metrics are looked at next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from math import inf

from epp.pool.endpoint import Endpoint

_ROUND_S = 0.1  # metrics are read about twice in it, and requests come hundreds of times
_LEAST, _MOST = 8, 64  # endpoints, at one pick


class Rounds:
    """Goes round a pool, some endpoints at each pick, until a view of it was seen whole.

    The more time has passed since the last pick, the more of them: so a round takes as long whether
    requests are few or many, and what it costs does not grow with their rate.
    """

    __slots__ = ("_at", "_left", "_next", "_seen")

    def __init__(self) -> None:
        self._at = -inf
        self._next = 0
        self._seen: Sequence[Endpoint] = ()
        self._left = 0

    def __repr__(self) -> str:
        return f"<Rounds, {self._left} of {len(self._seen)} left>"

    def again(self) -> None:
        """Let the next pick look though nothing was read."""
        self._seen = ()

    def take(self, endpoints: Sequence[Endpoint], now: float) -> Iterable[Endpoint]:
        """Return those whose turn it is; none, if nothing was read since all had theirs."""
        if endpoints is not self._seen:
            self._left = len(endpoints)
            self._seen = endpoints if isinstance(endpoints, tuple) else ()
        elif self._left <= 0:
            return ()
        due = min(_MOST, max(_LEAST, len(endpoints) * (now - self._at) / _ROUND_S))
        first = self._next if self._next < len(endpoints) else 0
        self._at, self._next = now, first + int(due)
        self._left -= int(due)
        return islice(endpoints, first, self._next)
