from __future__ import annotations

from epp.scheduling.kv.speculation import Speculation

A, B = "10.0.0.1:8000", "10.0.0.2:8000"


def test_a_pick_is_counted_on_for_a_while_at_its_server_alone() -> None:
    speculation = Speculation(2.0)
    speculation.add(A, 5, 10.0)
    assert speculation.holds(A, 5, 11.9)
    assert not speculation.holds(A, 5, 12.0)
    assert not speculation.holds(B, 5, 11.0)
    assert not speculation.holds(A, 6, 11.0)
    assert not speculation.holds(A, None, 11.0)


def test_without_a_time_to_live_nothing_is_noted() -> None:
    speculation = Speculation(0.0)
    speculation.add(A, 5, 10.0)
    assert len(speculation) == 0


def test_memory_is_bounded_and_what_is_over_makes_room() -> None:
    speculation = Speculation(1.0)
    for number in range(9000):
        speculation.add(A, number, number / 10_000)
    assert len(speculation) == 4096
    speculation.add(A, 1, 5.0)
    assert len(speculation) == 1
