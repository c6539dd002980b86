from __future__ import annotations

from epp.demo.sim.histogram import Histogram


def test_buckets_are_cumulative_and_include_their_bound() -> None:
    histogram = Histogram((1, 10))
    for value in (0.5, 1, 5, 11):
        histogram.observe(value)
    assert list(histogram.buckets()) == [(1, 2), (10, 3), (float("inf"), 4)]
    assert (histogram.count, histogram.sum) == (4, 17.5)


def test_nothing_observed_is_nothing_counted() -> None:
    assert list(Histogram((1,)).buckets()) == [(1, 0), (float("inf"), 0)]
