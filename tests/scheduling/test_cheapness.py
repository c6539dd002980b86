from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.scheduling.cheapness import Cheapness
from tests.scheduling.examples import Unexplained

costs = st.lists(st.floats(0.0, 1e6), min_size=1)


@given(costs)
def test_the_lowest_cost_is_1_the_highest_0_and_the_order_is_kept(costs: list[float]) -> None:
    scores = Cheapness(costs, Unexplained())
    assert scores[costs.index(min(costs))] == 1.0
    if max(costs) > min(costs):
        assert scores[costs.index(max(costs))] == 0.0
    dearest_first = sorted(range(len(costs)), key=lambda place: -costs[place])
    assert sorted(scores) == [scores[place] for place in dearest_first]
    assert len(scores) == len(costs)


def test_the_distance_of_two_scores_is_that_of_their_costs() -> None:
    assert list(Cheapness([1.0, 2.0, 5.0], Unexplained())) == pytest.approx([1.0, 0.75, 0.0])


def test_no_costs_are_no_scores() -> None:
    assert list(Cheapness([], Unexplained())) == []
