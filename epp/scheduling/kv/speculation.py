"""Picks that are so young that the server cannot have told what they left in its cache."""

from __future__ import annotations

_MOST = 4096


class Speculation:
    """For `ttl_s` after a pick, by server and the prompt's first block."""

    def __init__(self, ttl_s: float) -> None:
        self._ttl_s = ttl_s
        self._until: dict[tuple[str, int], float] = {}

    def __repr__(self) -> str:
        return f"<Speculation on {len(self._until)}>"

    def __len__(self) -> int:
        return len(self._until)

    def add(self, address: str, first_key: int, now: float) -> None:
        """Take note of a pick; with a time to live of 0, nothing is noted."""
        if self._ttl_s <= 0.0:
            return
        if len(self._until) >= _MOST:
            self._until = {pick: until for pick, until in self._until.items() if until > now}
        if len(self._until) < _MOST:
            self._until[address, first_key] = now + self._ttl_s

    def holds(self, address: str, first_key: int | None, now: float) -> bool:
        """Tell whether such a prompt went there just now."""
        return first_key is not None and self._until.get((address, first_key), now) > now
