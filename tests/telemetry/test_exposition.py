from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Metric, Summary, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.samples import Sample

from epp.telemetry.exposition import OPENMETRICS, TEXT, render

PARSERS: dict[str, Callable[[str], Iterable[Metric]]] = {
    TEXT: parse_text,
    OPENMETRICS: openmetrics.text_string_to_metric_families,
}


def families(label: str = "llama", value: float = 2.5) -> list[Metric]:
    gauge = GaugeMetricFamily("depth", "How deep.\nIn \\ metres.", labels=["model"])
    gauge.add_metric([label], value)
    counter = CounterMetricFamily("falls", "How often.", labels=["model", "code"])
    counter.add_metric([label, "x"], 3)
    histogram = HistogramMetricFamily("size", "How big.", labels=["model"])
    histogram.add_metric([label], [("0.5", 1), ("+Inf", 4)], 12.25)
    return [gauge, counter, histogram, GaugeMetricFamily("plain", "No labels.", 1)]


def without_creation(found: Iterable[Metric]) -> list[tuple[str, str, list[Sample]]]:
    # The time of creation is a sample of OpenMetrics, which the library shows as a gauge in text.
    shown = [f for f in found if not f.name.endswith("_created")]
    return [
        (f.name, f.type, [s for s in f.samples if not s.name.endswith("_created")]) for f in shown
    ]


def known(found: list[Metric]) -> list[tuple[str, str, str, list[object]]]:
    return [(f.name, f.type, f.documentation, list(f.samples)) for f in found]


@pytest.mark.parametrize("content_type", [TEXT, OPENMETRICS])
@given(label=st.text(st.characters(exclude_categories=["Cs"])))
def test_the_librarys_parser_reads_back_what_was_rendered(content_type: str, label: str) -> None:
    page = "".join(render(families(label), content_type))
    assert known(list(PARSERS[content_type](page))) == known(families(label))


@pytest.mark.parametrize("value", [0.0, -1.5, 1e-9, 1e300, math.inf, -math.inf, math.nan])
def test_every_number_can_be_read_back(value: float) -> None:
    page = "".join(render([GaugeMetricFamily("depth", "How deep.", value)], TEXT))
    (family,) = parse_text(page)
    assert repr(family.samples[0].value) == repr(value)


def test_only_openmetrics_has_an_end() -> None:
    assert "".join(render([], OPENMETRICS)) == "# EOF\n"
    assert "".join(render([], TEXT)) == ""


def test_the_whole_page_of_a_registry_says_what_the_library_says() -> None:
    registry = CollectorRegistry()
    Counter("served", "Requests.", ["model"], registry=registry).labels("llama").inc(3)
    Summary("lag", "Delay.", registry=registry).observe(0.5)
    page = "".join(render(registry.collect(), TEXT))
    reference = generate_latest(registry).decode()
    assert without_creation(parse_text(page)) == without_creation(parse_text(reference))


def test_a_slice_has_no_more_samples_than_asked_for() -> None:
    gauge = GaugeMetricFamily("depth", "How deep.", labels=["place"])
    for n in range(25):
        gauge.add_metric([str(n)], n)
    header, *slices = render([gauge], TEXT, slice_size=10)
    assert header.count("\n") == 2
    assert [text.count("\n") for text in slices] == [10, 10, 5]
