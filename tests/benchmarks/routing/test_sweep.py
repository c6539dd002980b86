from __future__ import annotations

import pytest
from msgspec import structs

from benchmarks.routing.case import Case
from benchmarks.routing.scenarios import fleet_of
from benchmarks.routing.sweep import GOODPUT, STEP_QPS, Search, highest_load
from benchmarks.routing.trace import EXCERPT, Trace, load

CASE = Case("lmetric", 0.0, fleet=fleet_of(4, 0.05))


@pytest.fixture(scope="module")
def trace() -> Trace:
    return load(EXCERPT)


def test_below_the_highest_load_the_targets_are_met_and_above_not(trace: Trace) -> None:
    found = highest_load(Search(CASE, 1.0, 6.0), trace)
    below = structs.replace(CASE, qps=found - 1.0).run(trace)
    above = structs.replace(CASE, qps=found + 1.0).run(trace)
    assert below.goodput >= GOODPUT > above.goodput


def test_where_all_loads_are_fine_the_end_of_the_range_is_found(trace: Trace) -> None:
    assert highest_load(Search(CASE, 0.2, 0.4), trace) == pytest.approx(0.4, abs=STEP_QPS)
