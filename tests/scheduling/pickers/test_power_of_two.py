from __future__ import annotations

from collections import Counter
from random import Random

from epp.scheduling.pickers.power_of_two import PowerOfTwoPicker
from tests.scheduling.examples import unknown

POOL = [unknown(number) for number in range(4)]


def picks(totals: list[float], rounds: int = 1200) -> Counter[str]:
    rng, picker = Random(1), PowerOfTwoPicker()
    return Counter(picker.pick(POOL[: len(totals)], totals, rng)[0].name for _ in range(rounds))


def test_the_only_endpoint_is_picked() -> None:
    assert picks([0.0], rounds=5) == {"pod-0": 5}


def test_of_two_endpoints_the_better_always_wins() -> None:
    assert picks([1.0, 2.0], rounds=50) == {"pod-1": 50}


def test_the_worst_of_all_never_wins_and_the_best_wins_every_draw_it_is_in() -> None:
    picked = picks([1.0, 2.0, 3.0, 4.0])
    assert picked["pod-0"] == 0
    # In how many of the 6 pairs each is the better one: 0, 1, 2, 3.
    assert abs(picked["pod-1"] - 200) < 50
    assert abs(picked["pod-2"] - 400) < 60
    assert abs(picked["pod-3"] - 600) < 60


def test_among_equals_each_is_picked_as_often() -> None:
    assert min(picks([1.0] * 4).values()) > 240
