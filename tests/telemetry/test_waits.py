from __future__ import annotations

import pytest

from epp.exchange.events import Refused
from epp.routing.admission.shed import Shed
from epp.routing.labels import Labels
from epp.routing.placement import Placement
from epp.routing.waiting import Waiting
from epp.telemetry.waits import Waits


def refused(shed: Shed | None, waited_s: float = 0.0) -> Placement:
    placement = Placement(Labels(priority=-1), Refused(429, "no"))
    placement.shed, placement.waited_s = shed, waited_s
    placement.waited_for = "step" if waited_s else ""
    return placement


@pytest.mark.parametrize(
    ("shed", "outcome"),
    [
        (Shed.FULL, "RejectedCapacity"),
        (Shed.LATE, "EvictedLate"),
        (Shed.EXPIRED, "EvictedTTL"),
        (Shed.DEADLINE, "EvictedDeadline"),
    ],
)
def test_a_request_that_is_shed_is_counted_by_why(shed: Shed, outcome: str) -> None:
    waits = Waits()
    waits.add(refused(shed, waited_s=1.5), None)
    assert waits.requests == {(outcome, "step", -1): 1}
    assert waits.durations[outcome, -1].total == 1.5


def test_what_was_refused_before_its_turn_is_not_counted() -> None:
    waits = Waits()
    waits.add(refused(None), None)
    assert waits.requests == {}


def test_who_gave_up_is_counted_with_the_time_that_it_waited() -> None:
    waits = Waits()
    waits.gave_up(Waiting(Labels(priority=5), lambda: None, since=10.0), 10.75)
    assert waits.requests == {("EvictedContextCancelled", "", 5): 1}
    assert waits.durations["EvictedContextCancelled", 5].total == 0.75


def test_how_long_they_waited_is_told_whatever_they_had_waited_for() -> None:
    waits = Waits()
    for waited_s in (0.0, 0.25, 0.5):
        waits.add(refused(Shed.FULL, waited_s), None)
    assert waits.requests == {("RejectedCapacity", "", -1): 1, ("RejectedCapacity", "step", -1): 2}
    (durations,) = waits.durations.values()
    assert (sum(durations.counts), durations.total) == (3, 0.75)
