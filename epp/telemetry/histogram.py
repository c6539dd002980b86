"""A histogram that is cheap to feed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate

import msgspec
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.utils import floatToGoString


class Shape(msgspec.Struct, frozen=True):
    """Name, meaning and buckets of a histogram."""

    name: str
    help: str
    bounds: tuple[float, ...]

    def family(
        self, labels: tuple[str, ...], series: Iterable[tuple[tuple[str, ...], Histogram]]
    ) -> HistogramMetricFamily:
        """Render `series`, pairs of label values and histogram; one without values is left out."""
        family = HistogramMetricFamily(self.name, self.help, labels=labels)
        ends = [*map(floatToGoString, self.bounds), "+Inf"]
        for values, histogram in series:
            buckets = list(zip(ends, accumulate(histogram.counts), strict=True))
            if buckets[-1][1]:
                family.add_metric(values, buckets, histogram.total)
        return family


class Histogram:
    """Counts by bucket, and the sum.

    The library's own takes a lock twice and walks its buckets for each value: five times the cost
    of this one, which only the event loop's thread may feed.
    """

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, shape: Shape) -> None:
        self._bounds = shape.bounds
        self.counts = [0] * (len(shape.bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def include(self, other: Histogram) -> None:
        """Count the values of another one of the same shape, too."""
        self.counts = [one + more for one, more in zip(self.counts, other.counts, strict=True)]
        self.total += other.total
