from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.scheduling.prefix.cut import Cut

CUT = Cut(10, fine=4)


@pytest.mark.parametrize(
    ("length", "blocks"), [(0, 0), (9, 0), (10, 1), (40, 4), (79, 4), (80, 5), (120, 6)]
)
def test_blocks_are_small_at_first_and_four_times_as_large_then(length: int, blocks: int) -> None:
    assert CUT.count(length) == blocks


@given(st.integers(0, 10_000))
def test_the_whole_blocks_of_a_prompt_reach_as_far_as_another_would_not(length: int) -> None:
    blocks = CUT.count(length)
    assert CUT.reach(blocks) <= length < CUT.reach(blocks + 1)


@given(st.integers(0, 100))
def test_each_block_reaches_on_by_its_size(block: int) -> None:
    assert CUT.reach(block + 1) - CUT.reach(block) == CUT.size_at(block)
