from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.http2.assembly import Assembly, split
from epp.http2.status import CallError, Status
from tests.http2.peer import framed


@given(st.lists(st.binary(max_size=50), max_size=6), st.lists(st.integers(0, 400), max_size=8))
def test_messages_are_whole_wherever_they_are_cut(messages: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(map(framed, messages))
    marks = sorted({cut for cut in cuts if cut <= len(whole)} | {0, len(whole)})
    found: list[bytes] = []
    unfinished: Assembly | None = None
    for start, end in pairwise(marks):
        came, unfinished = split(unfinished, whole, start, end, 1000)
        found += came
    assert found == messages
    assert unfinished is None


def test_what_is_held_is_counted() -> None:
    _, unfinished = split(None, b"\0\0\0\0\x09ab", 0, 7, 100)
    assert unfinished is not None
    assert unfinished.held == 7
    _, unfinished = split(unfinished, b"cd", 0, 2, 100)
    assert unfinished is not None
    assert unfinished.held == 9


@pytest.mark.parametrize("cut", range(1, 6))
@pytest.mark.parametrize(
    ("prefix", "status"),
    [(b"\x01\0\0\0\x01", Status.UNIMPLEMENTED), (b"\0\0\0\0\x65", Status.RESOURCE_EXHAUSTED)],
)
def test_a_message_that_cannot_be_taken_is_refused_by_its_prefix(
    prefix: bytes, status: Status, cut: int
) -> None:
    unfinished = Assembly()
    if cut < len(prefix):
        assert unfinished.take(prefix, 0, cut, 100) == (None, cut)
    with pytest.raises(CallError) as raised:
        unfinished.take(prefix, cut % len(prefix), len(prefix), 100)
    assert raised.value.status is status
