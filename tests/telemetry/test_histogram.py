from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client import Histogram as Reference

from epp.telemetry.histogram import Histogram, Shape

SHAPE = Shape("size", "How big.", (0.5, 1.0, 10.0))


@given(st.lists(st.floats(min_value=0, max_value=100) | st.sampled_from([0.5, 1.0, 10.0])))
def test_it_counts_as_the_library_does(values: list[float]) -> None:
    registry = CollectorRegistry()
    reference = Reference("size", "How big.", buckets=SHAPE.bounds, registry=registry)
    histogram = Histogram(SHAPE)
    for value in values:
        histogram.observe(value)
        reference.observe(value)
    family = SHAPE.family((), [((), histogram)])
    for sample in family.samples:
        assert sample.value == registry.get_sample_value(sample.name, sample.labels)
    assert len(family.samples) == (6 if values else 0)


def test_a_series_without_values_is_left_out() -> None:
    used = Histogram(SHAPE)
    used.observe(3)
    family = SHAPE.family(("model",), [(("a",), Histogram(SHAPE)), (("b",), used)])
    assert {sample.labels["model"] for sample in family.samples} == {"b"}


def test_it_can_count_the_values_of_another_one_too() -> None:
    whole, one, other = Histogram(SHAPE), Histogram(SHAPE), Histogram(SHAPE)
    for part, value in ((one, 0.7), (one, 20.0), (other, 0.7)):
        part.observe(value)
        whole.observe(value)
    one.include(other)
    assert (one.counts, one.total) == (whole.counts, whole.total)
