from __future__ import annotations

from math import exp

import pytest

from epp.scheduling.ledger.decaying import DecayingSum


def test_what_is_added_evenly_becomes_its_rate() -> None:
    rate = DecayingSum(10.0)
    for tick in range(1000):
        rate.add(0.3, tick * 0.1)
    assert rate.per_second(100.0) == pytest.approx(3.0, rel=0.01)


def test_an_amount_falls_to_one_over_e_in_a_period() -> None:
    rate = DecayingSum(10.0)
    rate.add(10.0, 5.0)
    assert rate.per_second(5.0) == 1.0
    assert rate.per_second(15.0) == pytest.approx(exp(-1))


def test_time_that_runs_backwards_neither_decays_nor_grows() -> None:
    rate = DecayingSum(10.0)
    rate.add(10.0, 5.0)
    rate.add(10.0, 4.0)
    assert rate.per_second(3.0) == 2.0
