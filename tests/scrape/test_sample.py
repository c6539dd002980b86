from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.scrape import sample


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b" 6.0", 6.0),
        (b"\t6", 6.0),
        (b'{engine="0"} 6.0', 6.0),
        (b'{engine="0"}6.0', 6.0),
        (b' {engine="0"} 6.0', 6.0),
        (b"{} 6", 6.0),
        (b'{engine="0",} 6', 6.0),
        (b'{engine="0"} 6.0\r', 6.0),
        (b'{engine="0"} 6.0 1700000000000', 6.0),
        (b'{engine="0"} 6.0   1700000000000  ', 6.0),
        (b'{engine="0"} 1.5e+03', 1500.0),
        (b'{engine="0"} +Inf', math.inf),
        (b'{engine="0"} -Inf', -math.inf),
        (b'{model="a} 7"} 6', 6.0),
        (b'{model="a\\"} 7"} 6', 6.0),
        (b'{model="a\\\\"} 6', 6.0),
        (b'{model="a"} 6 # {trace="x"} 0.5', 6.0),
    ],
)
def test_the_value_stands_after_the_labels(line: bytes, value: float) -> None:
    assert sample.value(line) == value


@pytest.mark.parametrize(
    "line", [b"", b" ", b'{engine="0"}', b'{engine="0', b'{engine="0"} None', b" NaN", b'{a="b"} x']
)
def test_what_cannot_be_read_is_not_a_number(line: bytes) -> None:
    assert math.isnan(sample.value(line))


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        (b" 6", {}),
        (b'{a="1",b="2"} 6', {"a": "1", "b": "2"}),
        (b'{a = "1" , b="2",} 6', {"a": "1", "b": "2"}),
        (b'{a="x,y=\\"z\\"}"} 6', {"a": 'x,y="z"}'}),
        (b'{a="back\\\\slash",b="new\\nline"} 6', {"a": "back\\slash", "b": "new\nline"}),
        (b'{a="b=\\"c\\"",c="d"} 6', {"a": 'b="c"', "c": "d"}),
        ('{a="größer"} 6'.encode(), {"a": "größer"}),
        (b'{a="', {}),
    ],
)
def test_labels_are_read_with_their_escapes_undone(line: bytes, labels: dict[str, str]) -> None:
    assert sample.labels(line) == labels


@given(st.binary(max_size=200))
def test_no_line_is_an_error(line: bytes) -> None:
    sample.value(line)
    sample.labels(line)


@pytest.mark.timeout(5)
@pytest.mark.parametrize("piece", [b'"', b'{a="', b"\\", b'\\"', b'a="b",', b"{", b" ", b'{a=""'])
def test_a_hostile_line_of_a_megabyte_costs_time_in_proportion(piece: bytes) -> None:
    line = b"{" + piece * (1_000_000 // len(piece))
    sample.value(line)
    sample.labels(line)
