from __future__ import annotations

import pytest

from epp.scheduling.ledger.warming import Warming


def test_an_endpoint_warms_up_evenly_and_then_is_warm() -> None:
    warming = Warming(10.0)
    warming.join("a:1", 100.0)
    warming.join("b:1", 105.0)
    assert warming.ramps(105.0) == pytest.approx({"a:1": 0.5, "b:1": 0.0})
    assert warming.ramps(112.0) == pytest.approx({"b:1": 0.7})
    assert warming.ramps(106.0) == pytest.approx({"b:1": 0.1})


def test_one_that_left_warms_up_no_more() -> None:
    warming = Warming(10.0)
    warming.join("a:1", 100.0)
    warming.forget("a:1")
    warming.forget("b:1")
    assert warming.ramps(101.0) == {}
