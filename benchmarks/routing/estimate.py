"""A mean of a few runs, and how sure it is."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import msgspec

# Student's t for 95 %, by degrees of freedom
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
_T_MANY = 2.228  # of more runs: wider than it is, never narrower


class Estimate(msgspec.Struct, frozen=True):
    """The mean, and half of the interval in which the true one is with 95 %."""

    mean: float
    half: float

    def text(self, digits: int) -> str:
        """Return both, as in `0.614 ±.012`."""
        if not self.half:
            return f"{self.mean:.{digits}f}"
        return f"{self.mean:.{digits}f} ±{self.half:.{digits}f}"


def estimate(values: Sequence[float]) -> Estimate:
    """Return the mean of independent runs; of one run nobody knows how sure it is."""
    mean = statistics.fmean(values)
    free = len(values) - 1
    if free < 1:
        return Estimate(mean, 0.0)
    factor = _T[free - 1] if free <= len(_T) else _T_MANY
    return Estimate(mean, factor * statistics.stdev(values) / math.sqrt(len(values)))
