"""Endpoints that joined lately."""

from __future__ import annotations

from collections.abc import Mapping


class Warming:
    """How warm each of them is, from 0 to 1: its caches are empty, and its kernels not compiled."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._joined_at: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"<Warming {len(self._joined_at)} endpoints>"

    def join(self, address: str, now: float) -> None:
        """Begin to warm an endpoint up."""
        self._joined_at[address] = now

    def forget(self, address: str) -> None:
        """Drop an endpoint that left."""
        self._joined_at.pop(address, None)

    def ramps(self, now: float) -> Mapping[str, float]:
        """Return how warm those are that are not warm yet."""
        if not self._joined_at:
            return {}
        ramps = {a: (now - joined) / self._period_s for a, joined in self._joined_at.items()}
        self._joined_at = {a: at for a, at in self._joined_at.items() if ramps[a] < 1.0}
        return {address: ramps[address] for address in self._joined_at}
