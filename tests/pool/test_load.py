from __future__ import annotations

from epp.pool.load import Load


def test_a_reading_ages() -> None:
    assert Load(at=10.0).age(12.5) == 2.5


def test_a_reading_from_the_future_is_new() -> None:
    assert Load(at=10.0).age(9.0) == 0.0
