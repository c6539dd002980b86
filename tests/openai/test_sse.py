from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from epp.openai.sse import EventReader

CAPTURED = (Path(__file__).parents[1] / "data" / "openai" / "chat-stream.sse").read_bytes()
LIMIT = 1000


def events_of(*pieces: bytes, limit: int = LIMIT) -> list[bytes]:
    reader = EventReader(limit)
    events = [event for piece in pieces for event in reader.feed(piece)]
    return events + reader.end()


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"", []),
        (b"data: a\n\n", [b"a"]),
        (b"data:a\n\n", [b"a"]),
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
        (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
        (b"data: a\ndata: b\n\n", [b"a\n b"]),
        (b"data: a\rdata: b\n\n", [b"a\n b"]),
        (b": comment\n\ndata: a\n\n", [b"a"]),
        (b"event: x\nid: 1\nretry: 5\ndata: a\n\n", [b"a"]),
        (b"event: x\n\n", []),
        (b"data: [DONE]\n\n", []),
        (b"data: [DONE]\r\n\r\n", []),
        (b"data:\n\n", []),
        (b"data: \n\ndata: a\n\n", [b"a"]),
        (b"data\n\n", []),
        (b" data: a\n\n", []),
        (b"\n\n\ndata: a\n\n\n", [b"a"]),
        (b"data: a\n", [b"a"]),
        (b"data: a", [b"a"]),
        (b"data: a\r", [b"a"]),
    ],
)
def test_events_end_with_an_empty_line(stream: bytes, events: list[bytes]) -> None:
    assert events_of(stream) == events


def test_an_event_may_end_in_a_piece_that_looks_like_a_whole_one() -> None:
    assert events_of(b"data: a\n", b"data: b\n\n") == [b"a\n b"]
    assert events_of(b"event: x", b"data: a\n\n") == []


def test_the_stream_of_a_real_server_is_read() -> None:
    events = events_of(CAPTURED)
    assert len(events) == 5
    assert all(event.startswith(b'{"id"') for event in events)


def test_where_the_stream_is_cut_does_not_matter() -> None:
    whole = events_of(CAPTURED)
    for at in range(len(CAPTURED) + 1):
        assert events_of(CAPTURED[:at], CAPTURED[at:]) == whole, at


def test_bytes_one_at_a_time_are_read() -> None:
    assert events_of(*(bytes([byte]) for byte in CAPTURED)) == events_of(CAPTURED)


STREAMS = st.lists(
    st.sampled_from(
        [
            b"data:",
            b" ",
            b"a",
            b'{"usage":1}',
            b"[DONE]",
            b"\n",
            b"\r",
            b"\r\n",
            b"\n\n",
            b":",
            b"event: x",
        ]
    ),
    max_size=20,
).map(b"".join)


@settings(deadline=None)
@given(STREAMS, st.lists(st.integers(0, 80), max_size=6), st.integers(1, 30))
@example(b"data:a\r\n\r\n", [7, 8, 9], 20)
@example(b"data: aaaa\n\n", [12], 11)
def test_no_cut_and_no_limit_changes_what_is_read(
    stream: bytes, cuts: list[int], limit: int
) -> None:
    ends = [0, *sorted(cuts), len(stream)]
    pieces = [stream[start:end] for start, end in itertools.pairwise(ends)]
    assert events_of(*pieces, limit=limit) == events_of(
        *(bytes([byte]) for byte in stream), limit=limit
    )


def test_a_line_over_the_limit_is_left_out() -> None:
    long = b"data: " + b"x" * LIMIT
    assert events_of(long + b"\n\n") == []
    assert events_of(long + b"\n\ndata: a\n\n") == [b"a"]
    just_over = b"data: " + b"x" * (LIMIT - 5) + b"\n\n"
    assert events_of(just_over) == events_of(b":\n" + just_over) == []
    assert events_of(long[:500], long[500:], b"more", b"\n", b"\ndata: a\n\n") == [b"a"]
    assert events_of(b"data: " + b"x" * (LIMIT - 6) + b"\n\n") == [b"x" * (LIMIT - 6)]


def test_an_event_of_lines_over_the_limit_is_left_out() -> None:
    line = b"data: " + b"x" * (LIMIT // 2) + b"\n"
    assert events_of(line + b"\n" + line * 3 + b"\n" + b"data: a\n\n") == [
        b" x".strip() * 500,
        b"a",
    ]


def test_what_is_kept_never_exceeds_the_limit() -> None:
    reader = EventReader(LIMIT)
    for _ in range(1000):
        assert reader.feed(b"x" * 100) == []
        assert len(reader._line) <= LIMIT
    assert reader.feed(b"\n\ndata: a\n\n") == [b"a"]
    for _ in range(1000):
        assert reader.feed(b"data:\n" * 10) == []
        assert len(reader._data) <= LIMIT
