from __future__ import annotations

import pytest

from benchmarks.routing.estimate import estimate


def test_a_mean_comes_with_half_of_its_interval() -> None:
    found = estimate([1.0, 2.0, 3.0])
    assert found.mean == 2.0
    assert found.half == pytest.approx(4.303 / 3**0.5, rel=1e-6)
    assert found.text(1) == "2.0 ±2.5"


def test_equal_runs_are_sure_and_one_run_claims_nothing() -> None:
    assert estimate([2.0, 2.0]).text(2) == "2.00"
    assert estimate([2.0]).text(2) == "2.00"


def test_many_runs_get_no_narrower_an_interval_than_student_would_give() -> None:
    values = [float(n) for n in range(20)]
    assert estimate(values).half > 2.093 * 5.916 / 20**0.5 - 1e-3
