from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.scheduling.decision import Outcome
from epp.scheduling.gate.gate import Gate
from epp.scheduling.gate.targets import Targets
from epp.scheduling.gate.verdict import OPEN, Why
from epp.scheduling.scheduler import Reservation
from tests.routing.admission.fleet import Fleet

TARGETS = Targets(2.0, 0.05)


def decoding(fleet: Fleet, requests: int, tokens: int = 1000) -> Endpoint:
    """Have so many requests decode at the only endpoint."""
    for number in range(requests):
        held = fleet.scheduler.schedule(
            fleet.query(f"r{number}", tokens), fleet.endpoints, fleet.admission._rng
        )
        assert isinstance(held, Reservation)
        held.first_token(fleet.now)
    (endpoint,) = fleet.endpoints
    return endpoint


def verdict(gate: Gate, endpoint: Endpoint, targets: Targets, tokens: float = 1000.0) -> Why:
    return gate.verdict(endpoint, tokens, targets, 100.0).why


def slowed(fleet: Fleet, pace: float) -> None:
    """Have measured that decode steps take `pace` times what the coefficients say."""
    (endpoint,) = fleet.endpoints
    for _ in range(400):
        fleet.gate.paces.learn(endpoint.address, 0.0075 * pace, 0.0075)


def test_an_endpoint_without_requests_is_open_for_anything() -> None:
    fleet = Fleet(1)
    (endpoint,) = fleet.endpoints
    assert fleet.gate.verdict(endpoint, 1e9, Targets(1e-9, 1e-9), fleet.now) == OPEN


def test_more_requests_make_the_step_longer_until_it_closes() -> None:
    fleet = Fleet(1)
    endpoint = decoding(fleet, 2, 8000)
    assert verdict(fleet.gate, endpoint, TARGETS) is Why.NOTHING
    decoding(fleet, 20, 8000)
    assert verdict(fleet.gate, endpoint, TARGETS) is Why.STEP


@pytest.mark.parametrize("pace", [1.0, 3.0, 5.0])
def test_a_server_whose_step_is_near_its_target_is_not_closed_to_all_but_one(pace: float) -> None:
    fleet = Fleet(1)
    slowed(fleet, pace)  # the target is 50 ms, a step alone takes 7.2 ms times the pace
    assert verdict(fleet.gate, decoding(fleet, 3), TARGETS) is Why.NOTHING


def test_a_server_that_could_not_meet_the_target_alone_is_open() -> None:
    fleet = Fleet(1)
    slowed(fleet, 8.0)
    assert verdict(fleet.gate, decoding(fleet, 30, 8000), TARGETS) is Why.NOTHING


def test_a_cache_without_room_for_the_prompt_closes() -> None:
    fleet = Fleet(1)
    endpoint = decoding(fleet, 2)
    assert endpoint.load == Load(100.0, 0, 0, 0.0, block_size=16, blocks=26_000)
    assert verdict(fleet.gate, endpoint, Targets(), 500_000.0) is Why.MEMORY


def test_who_must_leave_room_finds_it_closed_sooner() -> None:
    fleet = Fleet(1)
    endpoint = decoding(fleet, 9, 8000)
    assert fleet.gate.verdict(endpoint, 1000.0, TARGETS, fleet.now) is OPEN
    assert fleet.gate.verdict(endpoint, 1000.0, TARGETS, fleet.now, 0.5) is not OPEN


def test_an_answer_that_nobody_saw_teaches_nothing() -> None:
    fleet = Fleet(1)
    before = fleet.gate.share.value
    held = fleet.ask("a")
    fleet.end(held, Outcome(200, completed=True))
    assert fleet.gate.share.value == before
    (endpoint,) = fleet.endpoints
    assert fleet.gate.paces.of(endpoint.address) is None


def told(endpoint: Endpoint, at: float, itl_s: float | None, running: int | None = 5) -> Endpoint:
    """The endpoint as its metrics show it: so much time between its tokens."""
    return structs.replace(endpoint, load=Load(at, 0, running, 0.1, itl_s=itl_s))


def heard(gate: Gate, endpoint: Endpoint, itl_s: float | None, **more: int | None) -> None:
    for at in range(400):
        seen = told(endpoint, 100.0 + at, itl_s, **more)
        gate.verdict(seen, 100.0, TARGETS, 100.0 + at)


def test_what_a_server_says_of_its_tokens_counts_where_no_answers_are_read() -> None:
    fleet = Fleet(1)
    endpoint = decoding(fleet, 5)
    assert fleet.gate.paces.of(endpoint.address) is None
    heard(fleet.gate, endpoint, 0.03)
    pace = fleet.gate.paces.of(endpoint.address)
    assert pace is not None
    assert 2.0 < pace < 6.0  # a step of five takes some 7.5 ms by the coefficients


def test_the_same_metrics_are_heard_once() -> None:
    fleet = Fleet(1)
    endpoint = told(decoding(fleet, 5), 100.0, 0.03)
    for _ in range(400):
        fleet.gate.verdict(endpoint, 100.0, TARGETS, 100.0)
    assert fleet.gate.paces.of(endpoint.address) is None  # one is no evidence


def test_answers_that_are_read_count_more_than_what_the_server_says() -> None:
    fleet = Fleet(1)
    endpoint = decoding(fleet, 5)
    held = fleet.scheduler.schedule(
        fleet.query("read", 1000), fleet.endpoints, fleet.admission._rng
    )
    assert isinstance(held, Reservation)
    held.release(Outcome(200, True, itl_s=0.0075), 495.0)
    heard(fleet.gate, endpoint, 0.3)
    before = fleet.gate.paces.of(endpoint.address)
    fleet.gate.verdict(told(endpoint, 501.0, 0.3), 100.0, TARGETS, 501.0)
    assert fleet.gate.paces.of(endpoint.address) == before


@pytest.mark.parametrize("more", [{"itl_s": None}, {"itl_s": 0.03, "running": 0}])
def test_a_server_that_says_nothing_changes_nothing(more: dict[str, Any]) -> None:
    fleet = Fleet(1)
    endpoint = decoding(fleet, 5)
    heard(fleet.gate, endpoint, **more)
    assert fleet.gate.paces.of(endpoint.address) is None


@pytest.mark.parametrize("itl_s", [1e-9, 59.0])
def test_a_wrong_time_between_tokens_opens_the_gate(itl_s: float) -> None:
    fleet = Fleet(1)
    endpoint = decoding(fleet, 3)
    heard(fleet.gate, endpoint, itl_s)
    assert verdict(fleet.gate, endpoint, TARGETS) is Why.NOTHING


def test_what_was_heard_of_one_that_left_is_forgotten() -> None:
    fleet = Fleet(1)
    endpoint = decoding(fleet, 5)
    heard(fleet.gate, endpoint, 0.03)
    fleet.gate.forget(endpoint)
    assert fleet.gate._told_at == {}
