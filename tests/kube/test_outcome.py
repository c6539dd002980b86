from __future__ import annotations

import pytest

from epp.kube.errors import (
    AbsentError,
    AccessError,
    KubeError,
    ReportedError,
    StalledError,
    UnreachableError,
    UnreadableError,
)
from epp.kube.outcome import Outcome, closed, outcome_of
from epp.kube.pace import ReflectorPace


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (KubeError("", status=410), Outcome.GONE),
        (ReportedError("", status=410), Outcome.GONE),
        (ReportedError("", reason="Expired"), Outcome.GONE),
        (ReportedError("", status=500), Outcome.REPORTED),
        (StalledError(""), Outcome.STALLED),
        (AbsentError(""), Outcome.ABSENT),
        (UnreachableError(""), Outcome.UNREACHABLE),
        (UnreadableError(""), Outcome.UNREADABLE),
        (KubeError("", status=429), Outcome.BUSY),
        (KubeError("", status=503), Outcome.BUSY),
        (KubeError("", status=403), Outcome.REFUSED),
        (AccessError(""), Outcome.REFUSED),
    ],
)
def test_each_error_tells_something(error: KubeError, outcome: Outcome) -> None:
    assert outcome_of(error) is outcome


@pytest.mark.parametrize(
    ("lived_s", "asked_s", "events", "outcome"),
    [
        (300.0, 300.0, 0, Outcome.CLOSED),
        (2.0, 300.0, 0, Outcome.CLOSED),
        (1.9, 300.0, 0, Outcome.CLOSED_EMPTY),
        (1.9, 300.0, 1, Outcome.CLOSED_EARLY),
        (1.0, 1.0, 0, Outcome.CLOSED),
        (0.4, 1.0, 0, Outcome.CLOSED_EMPTY),
    ],
)
def test_a_close_is_judged_by_its_time(
    lived_s: float, asked_s: float, events: int, outcome: Outcome
) -> None:
    assert closed(lived_s, asked_s, events, ReflectorPace()) is outcome
