"""How long a request can wait and still be answered in time."""

from __future__ import annotations

_USABLE = 0.85  # of the target to the first token: the rest is for what nobody foresees
_LEAST = 0.25  # of it: so long everybody may wait before it is refused


def patience_s(ttft_s: float, prefill_s: float, *, refused: bool) -> float:
    """Return what its own prefill leaves of the target; infinity where there is none.

    What cannot meet its target at all is late at once. That only means that others go first; where
    the late are refused, everybody has a moment in which an endpoint may become free.
    """
    return max(_LEAST * ttft_s if refused else 0.0, _USABLE * ttft_s - prefill_s)
