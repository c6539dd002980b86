"""The benchmark of the gate, in small."""

from __future__ import annotations

from benchmarks.micro.gate import Bench, measure, whole


def test_as_many_wait_as_were_asked_for() -> None:
    assert len(Bench(2, 20).admission.room) == 20


def test_each_row_has_its_figures() -> None:
    alone, some = measure([0, 20], 2, 1)
    assert set(alone.figures) == {
        f"{way}: {what}" for way in ("plain", "gated") for what in ("pick", "first token", "end")
    }
    assert set(some.figures) == {"arrival", "event", "reconsidered"}
    assert all(
        us > 0 for row in (alone, some) for figures in row.figures.values() for us in figures
    )


def test_a_whole_request_is_compared_with_itself_behind_a_gate() -> None:
    figures = whole(1).figures
    plain, gated = figures["whole request, plain"], figures["whole request, gated"]
    assert figures["ratio, in hundredths"] == [100 * gated[0] / plain[0]]
