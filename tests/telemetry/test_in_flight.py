from __future__ import annotations

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Decision
from epp.telemetry.in_flight import InFlight

A1 = Endpoint("10.0.0.1:8000", generation=1)
A2 = Endpoint("10.0.0.1:8000", generation=2)


def to(endpoint: Endpoint) -> Decision:
    return Decision(0.0, "default", (endpoint,), (endpoint,))


def test_requests_are_counted_in_and_out() -> None:
    counts = InFlight()
    counts.begin(to(A1))
    counts.begin(to(A1))
    counts.end(to(A1))
    assert (counts.of(A1), counts.by_address()) == (1, {"10.0.0.1:8000": 1})
    counts.end(to(A1))
    assert (counts.of(A1), counts.by_address()) == (0, {})


def test_an_address_that_rejoins_starts_at_zero_and_is_not_paid_for_twice() -> None:
    counts = InFlight()
    counts.begin(to(A1))
    assert counts.of(A2) == 0
    counts.begin(to(A2))
    assert counts.by_address() == {"10.0.0.1:8000": 2}
    counts.end(to(A1))
    assert counts.of(A2) == 1
