"""The rows of a comparison."""

from __future__ import annotations

import pytest

from benchmarks.load.generator import Job, Prompts
from benchmarks.load.rows import ROWS, Load, chosen

NAMES = [row.name for row in ROWS]


def test_rows_are_taken_in_the_order_in_which_they_are_asked_for() -> None:
    assert [row.name for row in chosen("idle-8,duplex")] == ["idle-8", "duplex"]
    assert chosen("") == list(ROWS)


def test_a_row_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"no row idle-9; there are duplex, .*idle-8"):
        chosen("duplex,idle-9")


def test_a_twin_is_the_same_work_in_duplex() -> None:
    twins = [(row, chosen(row.twin)[0]) for row in ROWS if row.twin]
    assert [row.name for row, _ in twins] == ["buffered", "long-answer-buffered"]
    for row, twin in twins:
        assert isinstance(row.work, Load)
        assert isinstance(twin.work, Load)
        assert (row.work.mode, twin.work.mode) == ("buffered", "duplex")
        assert (row.work.chunks, row.work.body_bytes) == (twin.work.chunks, twin.work.body_bytes)


@pytest.mark.parametrize(
    "size", sorted({r.work.body_bytes for r in ROWS if isinstance(r.work, Load)})
)
def test_a_body_has_the_size_that_its_row_names(size: int) -> None:
    job = Job(port=1, body_bytes=size, chunks=20, gap_ms=0, concurrency=1, seconds=1)
    prompts = Prompts(job)
    one, two = prompts.next(), prompts.next()
    assert one != two
    assert len(one.partition(b"\r\n\r\n")[2]) == size
