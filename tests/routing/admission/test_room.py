from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from epp.routing.admission.limits import RoomLimits
from epp.routing.admission.room import WaitingRoom
from epp.routing.admission.waiter import Waiter


def room(*waiters: Waiter, limits: RoomLimits = RoomLimits()) -> WaitingRoom:  # noqa: B008
    made = WaitingRoom(limits)
    for waiter in waiters:
        made.add(waiter)
    return made


def test_a_higher_priority_goes_first_whenever_it_came() -> None:
    low, high, sheddable = Waiter(0.0), Waiter(9.0, priority=5), Waiter(0.0, priority=-1)
    assert room(sheddable, low, high).first(3) == [high, low, sheddable]


def test_only_so_many_are_looked_at() -> None:
    waiters = [Waiter(float(at)) for at in range(10)]
    assert room(*waiters).first(4) == waiters[:4]


def test_a_full_room_takes_no_more() -> None:
    made = room(Waiter(0.0), limits=RoomLimits(requests=2))
    assert made.fits(Waiter(1.0))
    made.add(Waiter(1.0))
    assert not made.fits(Waiter(2.0))


def test_a_priority_may_have_limits_of_its_own() -> None:
    made = WaitingRoom(RoomLimits(), of_bands={-1: RoomLimits(1, 100)})
    assert not made.fits(Waiter(0.0, priority=-1, size_bytes=101))
    made.add(Waiter(0.0, priority=-1))
    assert not made.fits(Waiter(1.0, priority=-1))
    assert made.fits(Waiter(1.0))


def test_bytes_are_counted_until_their_request_leaves() -> None:
    big = Waiter(0.0, size_bytes=60)
    made = room(big, limits=RoomLimits(size_bytes=100))
    assert not made.fits(Waiter(1.0, size_bytes=60))
    made.leave(big)
    assert made.fits(Waiter(1.0, size_bytes=60))
    assert made.size_bytes == 0


def test_leaving_twice_is_leaving_once() -> None:
    waiter = Waiter(0.0, size_bytes=5)
    made = room(waiter)
    made.leave(waiter)
    made.leave(waiter)
    assert (len(made), made.size_bytes) == (0, 0)


def test_time_passes_first_for_the_target_and_then_for_good() -> None:
    waiter = Waiter(0.0, late_at=1.7, expires_at=60.0)
    made = room(waiter)
    assert (made.next_at(), made.elapsed(1.6)) == (1.7, [])
    assert made.elapsed(1.7) == [waiter]
    made.defer(waiter)
    assert (waiter.late, made.next_at()) == (True, 60.0)
    assert made.elapsed(61.0) == [waiter]


def test_nobody_elapses_who_has_left() -> None:
    waiter = Waiter(0.0, late_at=1.0)
    made = room(waiter, Waiter(0.0, late_at=5.0))
    made.leave(waiter)
    assert made.next_at() == 5.0
    assert made.elapsed(2.0) == []


def test_without_targets_nothing_elapses() -> None:
    assert room(Waiter(0.0)).next_at() == math.inf


def test_the_newest_of_the_lowest_priority_would_be_refused_first() -> None:
    oldest, newest = Waiter(0.0, priority=-1), Waiter(2.0, priority=-1)
    made = room(newest, oldest, Waiter(3.0))
    assert made.last() is newest
    made.leave(newest)
    made.leave(oldest)
    assert made.last() is not None
    assert room().last() is None


WAITERS = st.builds(
    Waiter,
    arrived_at=st.floats(0, 100),
    priority=st.integers(-2, 2),
    flow=st.sampled_from(["", "a", "b"]),
    work=st.floats(0, 10),
    size_bytes=st.integers(0, 100),
    late_at=st.floats(0, 100),
    expires_at=st.floats(0, 100),
)


class AnyOrder(RuleBasedStateMachine):
    """However requests come and go, the room holds those who have not gone."""

    def __init__(self) -> None:
        super().__init__()
        self.room = WaitingRoom(RoomLimits())
        self.there: list[Waiter] = []

    @rule(waiter=WAITERS)
    def arrives(self, waiter: Waiter) -> None:
        self.room.add(waiter)
        self.there.append(waiter)

    @rule(data=st.data())
    def leaves(self, data: st.DataObject) -> None:
        if self.there:
            waiter = data.draw(st.sampled_from(self.there))
            self.room.leave(waiter)
            self.there.remove(waiter)

    @rule()
    def is_served(self) -> None:
        for waiter in self.room.first(1):
            self.room.serve(waiter)
            self.there.remove(waiter)

    @rule(now=st.floats(0, 100))
    def time_passes(self, now: float) -> None:
        for waiter in self.room.elapsed(now):
            assert waiter.next_at <= now
            if waiter.late or waiter.expires_at <= now:
                self.room.leave(waiter)
                self.there.remove(waiter)
            else:
                self.room.defer(waiter)
        assert self.room.next_at() > now

    @invariant()
    def nobody_is_lost(self) -> None:
        assert len(self.room) == len(self.there) == sum(self.room.by_priority().values())
        assert set(self.room.first(1000)) == set(self.there)
        assert self.room.size_bytes == sum(waiter.size_bytes for waiter in self.there)

    @invariant()
    def bands_are_strict(self) -> None:
        order = [waiter.priority for waiter in self.room.first(1000)]
        assert order == sorted(order, reverse=True)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@given(st.lists(st.sampled_from("abc"), max_size=60))
def test_while_all_wait_no_flow_is_two_requests_ahead_of_another(flows: list[str]) -> None:
    made = room(*(Waiter(float(at), flow=flow, work=1.0) for at, flow in enumerate(flows)))
    had = dict.fromkeys(flows, 0)
    while made:
        (waiter,) = made.first(1)
        made.serve(waiter)
        had[waiter.flow] += 1
        waiting = {waiter.flow for waiter in made.first(1000)}
        ahead = [had[flow] for flow in had]
        assert all(max(ahead) - had[flow] <= 2 for flow in waiting)
