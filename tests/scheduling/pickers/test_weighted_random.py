from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from epp.scheduling.pickers.weighted_random import WeightedRandomPicker
from tests.scheduling.examples import unknown

POOL = [unknown(number) for number in range(3)]


def shares(totals: list[float]) -> dict[str, float]:
    rng, picker, rounds = Random(1), WeightedRandomPicker(), 4000
    picked = Counter(picker.pick(POOL, totals, rng)[0].name for _ in range(rounds))
    return {e.name: picked[e.name] / rounds for e in POOL}


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e6])
def test_each_is_picked_in_proportion_to_its_total(unit: float) -> None:
    wanted = {"pod-0": 0.1, "pod-1": 0.3, "pod-2": 0.6}
    assert shares([1 * unit, 3 * unit, 6 * unit]) == pytest.approx(wanted, abs=0.03)


def test_an_endpoint_without_a_positive_total_is_not_picked() -> None:
    assert shares([0.0, 1.0, -1.0])["pod-1"] == 1.0


@pytest.mark.parametrize("totals", [[0.0, 0.0, 0.0], [-5.0, 0.0, -1.0]])
def test_without_positive_totals_each_is_picked_as_often(totals: list[float]) -> None:
    assert shares(totals) == pytest.approx(dict.fromkeys(shares(totals), 1 / 3), abs=0.03)


def test_several_are_picked_the_impossible_ones_last() -> None:
    picker, rng = WeightedRandomPicker(3), Random(1)
    assert all(picker.pick(POOL, [1.0, 0.0, 2.0], rng)[2] is POOL[1] for _ in range(50))
