from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.scheduling.prefix.depths import Depths

names = st.sampled_from("abcdef")
groups = st.lists(st.tuples(st.frozensets(names, min_size=1), st.integers(1, 9)), max_size=5)


@given(groups, st.lists(names))
def test_they_are_a_dict_in_which_later_groups_take_the_place_of_earlier_ones(
    made: list[tuple[frozenset[str], int]], asked: list[str]
) -> None:
    depths, plain = Depths(), dict[str, int]()
    for group, depth in made:
        depths.add(group, depth)
        plain |= dict.fromkeys(group, depth)
    assert depths == plain
    assert (len(depths), bool(depths)) == (len(plain), bool(plain))
    assert [depths.get(name, 0) for name in asked] == [plain.get(name, 0) for name in asked]
    assert depths.of(asked) == [plain.get(name, 0) for name in asked]
    assert [name in depths for name in asked] == [name in plain for name in asked]


def test_who_has_none_is_not_there() -> None:
    depths = Depths()
    depths.add(frozenset("ab"), 3)
    depths.own["c"] = 1
    assert (depths["a"], depths["c"], depths.get("d")) == (3, 1, None)
    with pytest.raises(KeyError):
        depths["d"]
