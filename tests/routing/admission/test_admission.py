from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from epp.routing.admission.admission import LOOKED_AT
from epp.routing.admission.limits import RoomLimits
from epp.routing.admission.settings import AdmissionSettings
from epp.routing.admission.shed import Shed
from epp.routing.admission.waiter import Waiter
from epp.scheduling.decision import Outcome, Refusal
from epp.scheduling.gate.settings import GateSettings
from epp.scheduling.gate.targets import Targets
from epp.scheduling.gate.verdict import OPEN
from epp.scheduling.scheduler import Reservation
from tests.routing.admission.fleet import Fleet

ABORTED = Outcome()


def filled(fleet: Fleet, tokens: int = 20_000) -> list[Reservation]:
    """Give requests until one has to wait, and take that one back."""
    taken: list[Reservation] = []
    for number in range(1000):
        result = fleet.ask(f"first-{number}", tokens)
        if isinstance(result, Waiter):
            fleet.admission.leave(result)
            return taken
        assert isinstance(result, Reservation)
        taken.append(result)
    raise AssertionError("no endpoint closes")


def test_with_room_everywhere_nobody_waits() -> None:
    assert isinstance(Fleet().ask("a"), Reservation)


def test_a_request_waits_until_the_prefill_before_it_is_worked_off() -> None:
    fleet = Fleet(1)
    filled(fleet)
    assert isinstance(fleet.ask("a", 5000), Waiter)
    fleet.pass_time(5.0)
    ((name, answer),) = fleet.answers
    assert (name, answer.why) == ("a", "queue")
    assert isinstance(answer.result, Reservation)
    assert 0.0 < answer.waited_s < 1.0


def test_a_first_token_lets_the_next_one_through_at_once() -> None:
    fleet = Fleet(1)
    (first, *_) = filled(fleet)
    fleet.ask("a", 100)
    assert fleet.answers == []
    for reservation in [first, *_]:
        fleet.first_token(reservation)
    assert fleet.names() == ["a"]


def test_an_end_lets_the_next_one_through_whatever_the_end_was() -> None:
    fleet = Fleet(1)
    taken = filled(fleet)
    fleet.ask("a", 100)
    for reservation in taken:
        fleet.end(reservation, ABORTED)
    assert fleet.names() == ["a"]


def test_decode_steps_close_an_endpoint_too() -> None:
    fleet = Fleet(1)
    for number in range(40):
        result = fleet.ask(f"r{number}", 8000)
        if isinstance(result, Waiter):
            break
        fleet.first_token(result)
    (waiter,) = fleet.admission.room.first(1)
    assert waiter.request.why == "step"
    fleet.pass_time(1.0)
    assert fleet.answers == [], "time alone ends no request that decodes"


def test_a_new_endpoint_takes_who_waits() -> None:
    fleet = Fleet(1)
    for reservation in filled(fleet):
        fleet.first_token(reservation)
    fleet.ask("a", 150_000)
    joined = structs.replace(fleet.endpoints[0], address="10.0.0.9:8000")
    fleet.endpoints = (*fleet.endpoints, joined)
    fleet.admission.pool_changed(fleet.now)
    ((_, answer),) = fleet.answers
    assert isinstance(answer.result, Reservation)
    assert answer.result.decision.winner is joined


def test_while_the_pool_is_empty_those_who_wait_go_on_waiting() -> None:
    fleet = Fleet(1)
    filled(fleet)
    fleet.ask("a", 100)
    endpoints, fleet.endpoints = fleet.endpoints, ()
    fleet.pass_time(3.0)
    assert fleet.answers == []
    fleet.endpoints = endpoints
    fleet.pass_time(1.0)
    assert fleet.names() == ["a"]


def test_who_comes_to_an_empty_pool_is_told_so() -> None:
    assert isinstance(Fleet(0).ask("a"), Refusal)


@pytest.mark.parametrize("dispatched", [False, True])
def test_nobody_waits_longer_than_the_bound_however_closed_the_gate_is(dispatched: bool) -> None:
    fleet = Fleet(
        1,
        gate=GateSettings(Targets(1e-9, 1e-2)),
        settings=AdmissionSettings(ttl_s=3.0, shed_expired=not dispatched),
    )
    held = fleet.ask("first", 20_000)
    fleet.ask("a", 20_000)
    fleet.pass_time(2.9)
    assert fleet.answers == []
    fleet.pass_time(0.2)
    ((_, answer),) = fleet.answers
    assert isinstance(answer.result, Reservation) is dispatched
    assert dispatched or answer.result is Shed.EXPIRED
    assert answer.waited_s >= 3.0
    assert isinstance(held, Reservation)


def test_what_is_late_goes_behind_the_others() -> None:
    fleet = Fleet(1)
    taken = filled(fleet)
    for reservation in taken:  # they decode: only their ends open the endpoint
        fleet.first_token(reservation)
    late = fleet.ask("late", 150_000)
    assert isinstance(late, Waiter)
    fleet.pass_time(1.8)
    assert late.late
    fleet.ask("fresh", 150_000)
    assert [waiter.request.query.prompt[:5] for waiter in fleet.admission.room.first(2)] == [
        "fresh",
        "late ",
    ]


def test_a_sheddable_request_is_refused_when_it_is_late() -> None:
    fleet = Fleet(1)
    for reservation in filled(fleet):
        fleet.first_token(reservation)
    fleet.ask("cheap", 150_000, priority=-1)
    fleet.pass_time(1.8)
    ((_, answer),) = fleet.answers
    assert (answer.result, len(fleet.admission.room)) == (Shed.LATE, 0)


def test_all_that_are_late_are_refused_where_that_is_wanted() -> None:
    fleet = Fleet(1, settings=AdmissionSettings(shed_late=True))
    for reservation in filled(fleet):
        fleet.first_token(reservation)
    fleet.ask("a", 150_000)
    fleet.pass_time(1.8)
    assert [answer.result for _, answer in fleet.answers] == [Shed.LATE]


def test_a_full_room_refuses_the_newcomer_or_who_counts_less() -> None:
    fleet = Fleet(1, settings=AdmissionSettings(limits=RoomLimits(requests=1)))
    filled(fleet)
    fleet.ask("cheap", 5000, priority=-1)
    assert fleet.ask("as cheap", 5000, priority=-1) is Shed.FULL
    assert isinstance(fleet.ask("dear", 5000), Waiter)
    assert [(name, answer.result) for name, answer in fleet.answers] == [("cheap", Shed.FULL)]


def test_the_client_s_deadline_ends_the_wait_with_a_refusal() -> None:
    fleet = Fleet(1)
    for reservation in filled(fleet):
        fleet.first_token(reservation)
    fleet.ask("a", 150_000, deadline=fleet.now + 0.5)
    fleet.pass_time(0.6)
    assert [answer.result for _, answer in fleet.answers] == [Shed.DEADLINE]


def test_who_leaves_is_never_told_anything() -> None:
    fleet = Fleet(1)
    taken = filled(fleet)
    waiter = fleet.ask("a", 5000)
    assert isinstance(waiter, Waiter)
    fleet.admission.leave(waiter)
    for reservation in taken:
        fleet.end(reservation)
    assert fleet.answers == []
    assert fleet.admission.next_at(fleet.now) == math.inf


def test_a_request_that_prefers_another_endpoint_is_not_held_up() -> None:
    fleet = Fleet(2)
    for reservation in filled(fleet):
        fleet.first_token(reservation)
    big = fleet.ask("big", 150_000)
    assert isinstance(big, Waiter)
    assert isinstance(fleet.ask("small", 10), (Reservation, Waiter))
    assert big in fleet.admission.room


def test_without_targets_a_pool_that_has_room_keeps_nobody_waiting() -> None:
    fleet = Fleet(1, gate=GateSettings())
    for number in range(20):
        result = fleet.ask(f"r{number}", 1000)
        assert isinstance(result, Reservation)
        fleet.first_token(result)


def test_without_targets_a_full_cache_closes_an_endpoint() -> None:
    fleet = Fleet(1, gate=GateSettings())
    for number in range(8):
        result = fleet.ask(f"r{number}", 50_000)
        if isinstance(result, Waiter):
            assert result.request.why == "memory"
            return
        fleet.first_token(result)
    raise AssertionError("400,000 tokens in a cache of 416,000")


def test_a_request_may_ask_for_more_patience() -> None:
    fleet = Fleet(1)
    filled(fleet)
    patient = {"x-llm-d-slo-ttft-ms": "600000", "x-llm-d-slo-tpot-ms": "5000"}
    assert isinstance(fleet.ask("a", 1000, headers=patient), Reservation)


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["ask", "end", "leave", "time", "token"]),
            st.integers(0, 60_000),
            st.integers(-1, 1),
        ),
        max_size=60,
    )
)
def test_everybody_is_told_once_or_leaves(steps: list[tuple[str, int, int]]) -> None:
    fleet = Fleet(2, settings=AdmissionSettings(ttl_s=5.0))
    running: list[Reservation] = []
    waiting: list[Waiter] = []
    asked = 0
    for step, number, priority in steps:
        if step == "ask":
            asked += 1
            result = fleet.ask(f"r{asked}", number, priority=priority)
            if isinstance(result, Waiter):
                waiting.append(result)
            elif isinstance(result, Reservation):
                running.append(result)
        elif step == "end" and running:
            fleet.end(running.pop(number % len(running)))
        elif step == "token" and running:
            fleet.first_token(running[number % len(running)])
        elif step == "leave" and waiting:
            fleet.admission.leave(waiting.pop(number % len(waiting)))
        elif step == "time":
            fleet.pass_time(number / 10_000)
    fleet.pass_time(10.0)
    names = fleet.names()
    assert len(names) == len(set(names))
    assert len(fleet.admission.room) == 0
    assert fleet.admission.room.size_bytes == 0
    assert fleet.admission.next_at(fleet.now) == math.inf


def no_open_endpoint_is_kept_from_who_waits_for_it(fleet: Fleet) -> None:
    """Look as the admission does, right after an event: of the first so many nobody could go."""
    for waiter in fleet.admission.room.first(LOOKED_AT):
        asked = waiter.request
        if asked.best is None:
            continue
        verdict = fleet.gate.verdict(asked.best, asked.tokens, asked.targets, fleet.now, asked.part)
        assert verdict is not OPEN, waiter


@settings(max_examples=30, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["ask", "ask", "end", "time", "token"]),
            st.integers(0, 60_000),
            st.sampled_from(["", "a", "b"]),
        ),
        max_size=60,
    )
)
def test_no_endpoint_idles_while_somebody_waits_whose_best_it_is(
    steps: list[tuple[str, int, str]],
) -> None:
    fleet = Fleet(2)
    for number, (step, size, flow) in enumerate(steps):
        running = fleet.running()
        if step == "ask":
            fleet.ask(f"r{number}", size, flow=flow)
        elif step == "end" and running:
            fleet.end(running[size % len(running)])
        elif step == "token" and running:
            fleet.first_token(running[size % len(running)])
        elif step == "time":
            fleet.pass_time(size / 100_000)
            continue  # time opens endpoints between two looks
        no_open_endpoint_is_kept_from_who_waits_for_it(fleet)


@pytest.mark.parametrize(("endpoints", "looked_at"), [(1, 32), (20, 80), (50, LOOKED_AT)])
def test_one_event_looks_at_a_bounded_number_and_chooses_anew_for_fewer(
    endpoints: int, looked_at: int
) -> None:
    fleet = Fleet(endpoints)
    for reservation in filled(fleet):
        fleet.first_token(reservation)
    for number in range(300):
        fleet.ask(f"r{number}", 150_000)
    waiters = fleet.admission.room.first(300)
    fleet.now += 0.3
    for waiter in waiters:
        waiter.request.why = ""
    fleet.admission.advance(fleet.now)
    anew = [w for w in waiters if w.request.considered_at == fleet.now]
    assert len(anew) == 16
    assert sum(w.request.why != "" for w in waiters) == looked_at
    assert fleet.admission.next_at(fleet.now) - fleet.now <= 0.005, "the others follow at once"


def test_what_cannot_be_in_time_at_all_lets_the_others_go_first() -> None:
    fleet = Fleet(1)
    filled(fleet)
    hopeless, fresh = fleet.ask("hopeless", 150_000), fleet.ask("fresh", 5000)
    fleet.admission.advance(fleet.now)
    assert fleet.admission.room.first(2) == [fresh, hopeless]


def test_what_is_late_goes_only_where_it_leaves_room() -> None:
    def waits(late_part: float) -> float:
        fleet = Fleet(1, settings=AdmissionSettings(late_part=late_part))
        taken = filled(fleet, 5000)
        late = fleet.ask("late", 40_000)
        assert isinstance(late, Waiter)
        fleet.admission.room.defer(late)
        while not fleet.answers:
            fleet.end(taken.pop())
        return len(taken)

    assert waits(0.3) < waits(1.0)
