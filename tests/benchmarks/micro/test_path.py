"""The benchmark of a whole request, in small."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest

from benchmarks.micro import path
from benchmarks.micro.conversation import ROWS, picker
from benchmarks.micro.path import Peer, check, pass_through
from benchmarks.script import Script


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_every_request_is_served_to_its_end_and_takes_time() -> None:
    pool = picker()
    peer = Peer(pool)
    for talk in ROWS.values():
        script = Script(talk)
        check(peer, script, 2)
        assert pass_through(peer, script, 2, 2) > 0
    assert pool.in_flight.by_address() == {}


def test_a_request_that_is_refused_is_no_measurement() -> None:
    pool = picker()
    pool.clear()
    with pytest.raises(AssertionError):
        check(Peer(pool), Script(next(iter(ROWS.values()))), 2)


def test_the_table_has_a_line_for_each_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["path", "--rounds", "1", "--requests", "16"])
    path.main()
    output = capsys.readouterr().out
    assert all(output.count(f"| {title} |") == 1 for title in ROWS)
    assert "commit: " in output
