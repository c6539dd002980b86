"""Whose metrics are looked at next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from epp.pool.endpoint import Endpoint

_AT_ONCE = 64  # endpoints, at one pick


class Rounds:
    """Goes round a pool, some endpoints at each pick, until a view of it was seen whole."""

    __slots__ = ("_left", "_next", "_seen")

    def __init__(self) -> None:
        self._next = 0
        self._seen: Sequence[Endpoint] = ()
        self._left = 0

    def __repr__(self) -> str:
        return f"<Rounds, {self._left} of {len(self._seen)} left>"

    def again(self) -> None:
        """Let the next pick look though nothing was read."""
        self._seen = ()

    def take(self, endpoints: Sequence[Endpoint]) -> Iterable[Endpoint]:
        """Return those whose turn it is; none, if nothing was read since all had theirs."""
        first = self._next if self._next < len(endpoints) else 0
        self._next = first + _AT_ONCE
        if endpoints is not self._seen:
            self._left = len(endpoints)
            self._seen = endpoints if isinstance(endpoints, tuple) else ()
        elif self._left <= 0:
            return ()
        self._left -= _AT_ONCE
        return islice(endpoints, first, self._next)
