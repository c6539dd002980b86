"""How much of what a target leaves to decode steps may be planned with."""

from __future__ import annotations

from math import exp

_RATE = 0.01
_MAY_MISS = 0.02  # of the requests, their target for the time between tokens
_MET, _MISSED = exp(_RATE * _MAY_MISS), exp(_RATE * (_MAY_MISS - 1.0))
_LOWEST, _HIGHEST = 0.07, 1.2
_ENOUGH_TOKENS = 5  # fewer say nothing about the time between them


class Share:
    """Follows what is measured: each request that was too slow makes it a little smaller.

    Of the time between a step of a server that is alone with one request, and the target: so a
    server whose step is near its target is not closed to all but one.

    Slow and bounded, so that no burst and no wrong clock closes or opens the gate for good. It
    comes to rest where one request in fifty misses its target.
    """

    __slots__ = ("value",)

    def __init__(self, value: float = 0.25) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"<Share {self.value:.2f}>"

    def learn(self, tpot_s: float, target_s: float, tokens: int) -> None:
        """Take note of the mean time between the tokens of an answer."""
        if tokens < _ENOUGH_TOKENS:
            return
        moved = self.value * (_MISSED if tpot_s > target_s else _MET)
        self.value = min(_HIGHEST, max(_LOWEST, moved))
