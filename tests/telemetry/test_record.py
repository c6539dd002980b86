from __future__ import annotations

import pytest

from epp.telemetry.record import Record


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (Record(status=200), None),
        (Record(status=304), None),
        (Record(status=404), "404"),
        (Record(status=503, reason="rejected-no-endpoints"), "rejected-no-endpoints"),
        (Record(status=0), "aborted"),
    ],
)
def test_an_error_is_called_by_its_reason_then_by_its_status(
    record: Record, code: str | None
) -> None:
    assert record.error_code == code


@pytest.mark.parametrize(("status", "good"), [(0, False), (200, True), (299, True), (300, False)])
def test_only_a_2xx_answer_is_a_success(status: int, good: bool) -> None:
    assert Record(status=status).succeeded is good
