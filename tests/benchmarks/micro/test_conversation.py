"""The benchmark of a whole conversation, in small."""

from __future__ import annotations

import sys

import pytest

from benchmarks.micro import conversation
from benchmarks.micro.conversation import ROWS, STEPS, hold, picker
from benchmarks.script import Script


def test_every_conversation_is_held_to_its_end_and_each_step_takes_time() -> None:
    pool = picker()
    for talk in ROWS.values():
        times = hold(pool, Script(talk), 2)
        assert set(times) == set(STEPS)
        assert all(us > 0 for us in times.values())
    assert pool.in_flight.by_address() == {}


def test_a_request_that_is_refused_is_no_measurement() -> None:
    pool = picker()
    pool.clear()
    with pytest.raises(AssertionError):
        hold(pool, Script(next(iter(ROWS.values()))), 2)


def test_the_table_has_a_line_for_each_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["conversation", "--rounds", "1", "--conversations", "2"])
    conversation.main()
    output = capsys.readouterr().out
    assert all(output.count(f"| {title} |") == 1 for title in ROWS)
    assert "commit: " in output
