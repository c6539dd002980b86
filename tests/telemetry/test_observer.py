from __future__ import annotations

import pytest

from epp.exchange.events import Refused, Routed
from epp.pool.endpoint import Endpoint
from epp.pool.snapshot import Snapshot
from epp.routing.labels import Labels
from epp.routing.placement import Placement
from epp.scheduling.decision import Decision
from epp.scheduling.query import Query
from epp.scheduling.roll import Roll
from epp.scheduling.scheduler import Reservation
from epp.telemetry.decisions import Decisions
from epp.telemetry.in_flight import InFlight
from epp.telemetry.metrics import Metrics
from epp.telemetry.observer import Observer
from epp.telemetry.record import Record

POD = Endpoint("10.0.0.1:8000", generation=1)
DECISION = Decision(1.0, "default", (POD,), (POD,), totals=(1.0,))
ROUTED = Routed([("x-gateway-destination-endpoint", POD.address)])


class Telling:
    """An observer and everyone it tells."""

    def __init__(self, *, broken: bool = False) -> None:
        self.metrics = Metrics(clock=lambda: 1.0)
        self.metrics.watch("default", lambda: Snapshot((POD,)))
        self.decisions = Decisions(5)
        self.in_flight = InFlight()
        self.heard: list[tuple[Decision, str]] = []
        self.broken = broken
        self.observer = Observer(self.metrics, self.decisions, self.in_flight, [self.hear])

    def hear(self, decision: Decision, model: str) -> None:
        if self.broken:
            raise RuntimeError("boom")
        self.heard.append((decision, model))

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


def placed() -> Placement:
    return Placement(Labels("m", "m"), ROUTED, Reservation(Query(), DECISION, Roll({})))


def test_a_choice_is_told_to_everyone() -> None:
    telling = Telling()
    telling.observer.placed(placed(), 0.001)
    assert telling.in_flight.of(POD) == 1
    assert [entry.decision for entry in telling.decisions.latest(5)] == [DECISION]
    assert telling.heard == [(DECISION, "m")]
    assert telling.value("llm_d_epp_scheduler_e2e_duration_seconds_count") == 1


def test_a_refusal_is_a_failed_attempt_and_no_decision() -> None:
    telling = Telling()
    telling.observer.placed(Placement(Labels("m", "m"), Refused(503, "none")), 0.001)
    assert telling.in_flight.by_address() == {}
    assert len(telling.decisions) == 0
    assert telling.heard == []
    assert telling.value("llm_d_epp_scheduler_e2e_duration_seconds_count") == 1


def test_a_request_that_cannot_be_understood_is_no_attempt() -> None:
    telling = Telling()
    telling.observer.placed(Placement(Labels(), Refused(400, "broken")), 0.001)
    assert telling.value("llm_d_epp_scheduler_e2e_duration_seconds_count") is None


def test_a_request_that_was_placed_before_is_not_told_again() -> None:
    telling = Telling()
    telling.observer.placed(Placement(Labels("m", "m"), ROUTED), 0.001)
    assert telling.value("llm_d_epp_scheduler_e2e_duration_seconds_count") in {None, 0}
    assert telling.heard == []


def test_the_books_balance_even_if_a_listener_fails() -> None:
    telling = Telling(broken=True)
    with pytest.raises(RuntimeError, match="boom"):
        telling.observer.placed(placed(), 0.001)
    assert telling.in_flight.of(POD) == 1
    telling.observer.finished(Record(model="m", status=200, routed_at=1.0), DECISION)
    assert telling.in_flight.by_address() == {}
    assert telling.metrics._running == {}


def test_a_request_that_was_never_placed_counts_nobody_out() -> None:
    telling = Telling()
    telling.observer.placed(placed(), 0.001)
    telling.observer.finished(Record(model="m", status=503, reason="rejected-no-endpoints"), None)
    assert telling.in_flight.of(POD) == 1
    assert telling.metrics._running == {"m": 1}


def test_streams_are_counted_in_and_out() -> None:
    telling = Telling()
    telling.observer.stream_opened()
    assert telling.value("llm_d_epp_extproc_streams_inflight") == 1
    telling.observer.stream_closed()
    assert telling.value("llm_d_epp_extproc_streams_inflight") == 0
