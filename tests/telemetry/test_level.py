from __future__ import annotations

import pytest

from epp.telemetry.level import NAMES, Level, Sampler, read_level


def test_each_level_has_a_name_and_the_old_switch_still_works() -> None:
    assert [read_level(name) for name in NAMES] == [*Level, Level.FULL, Level.NONE]
    assert read_level("all") is None


@pytest.mark.parametrize("level", [Level.NONE, Level.HEADERS, Level.FULL])
def test_a_fixed_level_is_that_of_every_answer(level: Level) -> None:
    sampler = Sampler(level, 3)
    assert {sampler.next() for _ in range(5)} == {level}


def test_a_sample_reads_one_in_so_many() -> None:
    sampler = Sampler(Level.SAMPLE, 3)
    levels = [sampler.next() for _ in range(7)]
    assert levels == [Level.FULL, Level.HEADERS, Level.HEADERS] * 2 + [Level.FULL]
    assert repr(sampler) == "<Sampler sample>"
