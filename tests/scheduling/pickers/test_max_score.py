from __future__ import annotations

from collections import Counter
from random import Random

import msgspec
import pytest

from epp.scheduling.cheapness import Cheapness
from epp.scheduling.pickers.max_score import MaxScorePicker
from epp.scheduling.registry import pickers
from tests.scheduling.examples import Unexplained, unknown

POOL = [unknown(number) for number in range(4)]


def test_the_highest_total_is_picked() -> None:
    assert MaxScorePicker().pick(POOL, [1.0, 3.0, 2.0, -1.0], Random(1)) == [POOL[1]]


@pytest.mark.parametrize("number", [1, 2])
def test_among_equals_each_is_picked_about_as_often(number: int) -> None:
    rng, picker = Random(1), MaxScorePicker(number)
    first = Counter(picker.pick(POOL, [2.0, 1.0, 2.0, 2.0], rng)[0].name for _ in range(900))
    assert set(first) == {"pod-0", "pod-2", "pod-3"}
    assert min(first.values()) > 240


def test_of_costs_the_lowest_is_picked_and_among_equals_chance_decides() -> None:
    rng, costs = Random(1), Cheapness([2.0, 5.0, 2.0, 3.0], Unexplained())
    first = Counter(MaxScorePicker().pick(POOL, costs, rng)[0].name for _ in range(900))
    assert set(first) == {"pod-0", "pod-2"}
    assert min(first.values()) > 380


def test_several_are_picked_best_first() -> None:
    picked = MaxScorePicker(3).pick(POOL, [1.0, 3.0, 2.0, -1.0], Random(1))
    assert picked == [POOL[1], POOL[2], POOL[0]]


def test_no_more_are_picked_than_there_are() -> None:
    assert len(MaxScorePicker(9).pick(POOL, [1.0] * 4, Random(1))) == 4


def test_none_cannot_be_wanted() -> None:
    with pytest.raises(msgspec.ValidationError, match="maxNumOfEndpoints"):
        pickers.make("max-score-picker", {"maxNumOfEndpoints": 0})
