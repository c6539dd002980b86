"""The prompts that a server is meant for, as its label says."""

from __future__ import annotations

import re

import msgspec

_RANGE = re.compile(r"\s*(\d{1,12})\s*-\s*(\d{1,12})\s*")

LABEL = "llm-d.ai/context-length-range"


class ContextRange(msgspec.Struct, frozen=True):
    """Prompt lengths in tokens, both ends included."""

    least: int
    most: int

    @property
    def width(self) -> int:
        """How wide it is."""
        return self.most - self.least

    def __contains__(self, tokens: float) -> bool:
        return self.least <= tokens <= self.most

    def distance(self, tokens: float) -> float:
        """Return how far outside `tokens` is."""
        return max(self.least - tokens, tokens - self.most, 0.0)


def context_range(text: str | None) -> ContextRange | None:
    """Read `min-max`; None: there is no such label, or it is none."""
    found = _RANGE.fullmatch(text or "")
    if found is None:
        return None
    least, most = int(found[1]), int(found[2])
    return ContextRange(least, most) if least <= most else None
