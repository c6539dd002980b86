from __future__ import annotations

from collections import Counter
from random import Random

from epp.scheduling.pickers.random import RandomPicker
from tests.scheduling.examples import unknown

POOL = [unknown(number) for number in range(4)]


def test_each_is_picked_as_often_whatever_its_total() -> None:
    rng, picker = Random(1), RandomPicker()
    picked = Counter(picker.pick(POOL, [9.0, 0.0, 0.0, 0.0], rng)[0].name for _ in range(2000))
    assert len(picked) == 4
    assert min(picked.values()) > 420


def test_several_distinct_ones_are_picked_but_not_more_than_there_are() -> None:
    assert len({e.name for e in RandomPicker(3).pick(POOL, [0.0] * 4, Random(1))}) == 3
    assert len(RandomPicker(9).pick(POOL, [0.0] * 4, Random(1))) == 4
