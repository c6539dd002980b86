from __future__ import annotations

import pytest

from epp.routing.admission.band import MAX_FLOWS, Band
from epp.routing.admission.room import by_arrival
from epp.routing.admission.waiter import Waiter


def band(*waiters: Waiter) -> Band:
    made = Band(by_arrival)
    for waiter in waiters:
        made.add(waiter)
    return made


def served(made: Band) -> list[str]:
    """Serve all, one after the other, and return whose they were."""
    order = []
    while made:
        waiter = next(iter(made))
        made.serve(waiter)
        order.append(waiter.flow)
    return order


def test_one_flow_is_served_as_it_came() -> None:
    first, second, third = (Waiter(at, work=1.0) for at in (1.0, 2.0, 3.0))
    assert list(band(second, third, first)) == [first, second, third]


def test_of_the_same_rank_the_one_that_was_added_first_goes_first() -> None:
    first, second = Waiter(1.0), Waiter(1.0)
    assert list(band(first, second)) == [first, second]


def test_a_greedy_flow_gets_no_more_than_the_others_while_they_wait() -> None:
    greedy = [Waiter(0.0, flow="greedy", work=1.0) for _ in range(10)]
    modest = [Waiter(5.0, flow="modest", work=1.0) for _ in range(3)]
    assert served(band(*greedy, *modest)) == ["greedy", "modest"] * 3 + ["greedy"] * 7


def test_shares_are_of_work_not_of_requests() -> None:
    large = [Waiter(0.0, flow="large", work=4.0) for _ in range(2)]
    small = [Waiter(0.0, flow="small", work=1.0) for _ in range(8)]
    order = served(band(*large, *small))
    assert order[:5] == ["large", "small", "small", "small", "small"]


def test_an_idle_flow_saves_no_service_up() -> None:
    made = band(*(Waiter(0.0, flow="busy", work=1.0) for _ in range(8)))
    for _ in range(4):
        made.serve(next(iter(made)))
    for _ in range(4):
        made.add(Waiter(9.0, flow="late riser", work=1.0))
    order = served(made)
    assert order.count("late riser") == 4
    assert order[:4] != ["late riser"] * 4


def test_a_flow_that_runs_empty_keeps_what_it_has_had() -> None:
    made = band(Waiter(0.0, flow="greedy", work=10.0), Waiter(0.0, flow="modest", work=1.0))
    made.serve(next(iter(made)))
    made.add(Waiter(1.0, flow="greedy", work=10.0))
    assert served(made) == ["modest", "greedy"]


def test_what_is_late_goes_behind_the_others() -> None:
    late, early = Waiter(0.0, late=True), Waiter(5.0)
    assert list(band(late, early)) == [early, late]


def test_flows_that_wait_for_nothing_are_forgotten_in_the_end() -> None:
    made = Band(by_arrival)
    for number in range(3 * MAX_FLOWS):
        waiter = Waiter(0.0, flow=f"flow-{number}", work=1.0)
        made.add(waiter)
        made.serve(waiter)
    assert len(made._flows) <= MAX_FLOWS


def test_what_is_not_there_cannot_be_removed() -> None:
    made = band(Waiter(0.0, flow="a"))
    with pytest.raises((KeyError, ValueError)):
        made.remove(Waiter(0.0, flow="a"))
