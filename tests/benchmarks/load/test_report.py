"""What a comparison found."""

from __future__ import annotations

import pytest

from benchmarks.load.measure import Figures, NotServed
from benchmarks.load.report import Report
from benchmarks.load.rows import Row, chosen

DUPLEX, BUFFERED, RATE, IDLE = chosen("duplex,buffered,highest-rate,idle-8")


def report(row: Row, ours: list[Figures], theirs: list[Figures | NotServed]) -> Report:
    found = Report([DUPLEX, BUFFERED, RATE, IDLE], ["ours", "theirs"], against="theirs")
    for figures in ours:
        found.add(row, "ours", figures)
    for other in theirs:
        found.add(row, "theirs", other)
    return found


def test_a_ratio_is_that_of_each_round() -> None:
    ours = [Figures(picker_us=100), Figures(picker_us=300)]
    found = report(DUPLEX, ours, [Figures(picker_us=400), Figures(picker_us=600)])
    assert found.ratios(DUPLEX, "ours") == [0.25, 0.5]
    assert found.ratios(DUPLEX, "theirs") == []
    assert "picker_us 0.375 (0.250-0.500)" in found.table()


@pytest.mark.parametrize(("row", "ratio"), [(RATE, 2.0), (IDLE, 0.1)])
def test_each_row_is_compared_by_its_own_figure(row: Row, ratio: float) -> None:
    ours = Figures(picker_us=1, rate=2000, picker_cores=0.03)
    theirs = Figures(picker_us=7, rate=1000, picker_cores=0.3)
    assert report(row, [ours], [theirs]).ratios(row, "ours") == pytest.approx([ratio])


def test_what_the_other_does_not_serve_is_compared_with_its_twin() -> None:
    found = report(BUFFERED, [Figures(picker_us=100)], [NotServed("no answer")])
    found.add(DUPLEX, "theirs", Figures(picker_us=400))
    assert found.ratios(BUFFERED, "ours") == [0.25]
    table = found.table()
    assert "picker_us 0.250 (0.250-0.250) (its duplex)" in table
    assert "| buffered | theirs | not served: no answer |" in table


def test_the_data_has_every_round_and_the_medians() -> None:
    rounds = [Figures(picker_us=value, failed=1) for value in (300.0, 100.0, 200.0)]
    row = next(r for r in report(DUPLEX, rounds, []).data() if r["picker"] == "ours")
    assert [figures["picker_us"] for figures in row["rounds"]] == [300, 100, 200]
    assert row["medians"]["picker_us"] == 200
    assert row["ratio"] == {}


def test_idle_rows_have_a_table_of_their_own() -> None:
    found = report(IDLE, [Figures(picker_cores=0.004, scrapes=1.0, slowest=0.9)], [])
    loaded, idle = found.table().split("\n\n")
    assert "idle-8" not in loaded
    assert "| idle-8 | ours | 0.0040 (0.0040-0.0040) | 1.00 (1.00-1.00) |" in idle
