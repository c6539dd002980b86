from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.kube.errors import UnreadableError
from epp.kube.lines import LineSplitter


@given(st.lists(st.binary().map(lambda b: b.replace(b"\n", b"")), max_size=9), st.data())
def test_where_the_bytes_are_cut_never_matters(lines: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(line + b"\n" for line in lines)
    splitter, got, start = LineSplitter(), list[bytes](), 0
    while start < len(whole):
        end = data.draw(st.integers(start + 1, len(whole)))
        got += splitter.feed(whole[start:end])
        start = end
    assert got == [line for line in lines if line]


def test_no_other_end_of_line_counts() -> None:
    line = "a\r\u0085\u2028\x0b\x1cb".encode()
    assert LineSplitter().feed(line + b"\n") == [line]


def test_an_unfinished_line_is_none() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"one\nhalf of tw") == [b"one"]
    assert splitter.feed(b"o\n") == [b"half of two"]


def test_a_line_has_a_longest_length() -> None:
    splitter = LineSplitter(max_bytes=10)
    splitter.feed(b"0123456789")
    with pytest.raises(UnreadableError, match="more than 10 bytes"):
        splitter.feed(b"0")
