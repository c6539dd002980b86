from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.exchange.actions import (
    Mutation,
    ReplyResponseBody,
    ReplyResponseHeaders,
    ReplyResponseTrailers,
    StreamResponseBody,
)
from epp.exchange.errors import ProtocolError
from epp.exchange.events import (
    HeaderOnlyResponse,
    ResponseBody,
    ResponseEvent,
    ResponseHeaders,
    ResponseLastBody,
    ResponseTrailers,
)
from epp.exchange.modes import BodyMode
from epp.exchange.response import TRANSITIONS, ResponseHalf, State
from tests.exchange.transcript import play

H = {":status": "200", "content-type": "text/event-stream"}
DUPLEX = BodyMode.FULL_DUPLEX_STREAMED
ACKNOWLEDGED = [m for m in BodyMode if m is not DUPLEX]


def test_duplex_gives_each_chunk_back_as_it_comes() -> None:
    play(
        ResponseHalf(DUPLEX),
        ResponseHeaders(H),
        [ReplyResponseHeaders()],
        ResponseBody(b"data: 1\n\n"),
        [StreamResponseBody(b"data: 1\n\n", end_of_stream=False)],
        ResponseBody(b""),
        [StreamResponseBody(b"", end_of_stream=False)],
        ResponseLastBody(b""),
        [StreamResponseBody(b"", end_of_stream=True)],
    )


def test_duplex_trailers_leave_the_last_chunk_open() -> None:
    play(
        ResponseHalf(DUPLEX),
        ResponseHeaders(H),
        [ReplyResponseHeaders()],
        ResponseBody(b"frame"),
        [StreamResponseBody(b"frame", end_of_stream=False)],
        ResponseTrailers(),
        [ReplyResponseTrailers()],
    )


def test_duplex_cuts_a_large_chunk_and_marks_only_its_last_piece() -> None:
    data = b"x" * 62_001
    play(
        ResponseHalf(DUPLEX),
        ResponseHeaders(H),
        [ReplyResponseHeaders()],
        ResponseBody(data),
        [
            StreamResponseBody(data[:62_000], end_of_stream=False),
            StreamResponseBody(b"x", end_of_stream=False),
        ],
        ResponseLastBody(data),
        [
            StreamResponseBody(data[:62_000], end_of_stream=False),
            StreamResponseBody(b"x", end_of_stream=True),
        ],
    )


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=8))
def test_duplex_loses_no_byte(parts: list[bytes]) -> None:
    half = ResponseHalf(DUPLEX)
    half.receive(ResponseHeaders(H))
    out = [a for part in parts[:-1] for a in half.receive(ResponseBody(part))]
    out += half.receive(ResponseLastBody(parts[-1]))
    pieces = [a for a in out if isinstance(a, StreamResponseBody)]
    assert b"".join(a.data for a in pieces) == b"".join(parts)
    assert [a.end_of_stream for a in pieces] == [False] * (len(pieces) - 1) + [True]


@pytest.mark.parametrize("mode", ACKNOWLEDGED)
def test_other_modes_acknowledge_and_leave_the_bytes_alone(mode: BodyMode) -> None:
    play(
        ResponseHalf(mode),
        ResponseHeaders(H),
        [ReplyResponseHeaders()],
        ResponseBody(b"a"),
        [ReplyResponseBody()],
        ResponseLastBody(b"b"),
        [ReplyResponseBody()],
    )


@pytest.mark.parametrize("mode", ACKNOWLEDGED)
def test_other_modes_answer_trailers(mode: BodyMode) -> None:
    play(
        ResponseHalf(mode),
        ResponseHeaders(H),
        [ReplyResponseHeaders()],
        ResponseBody(b"a"),
        [ReplyResponseBody()],
        ResponseTrailers(),
        [ReplyResponseTrailers()],
    )


@pytest.mark.parametrize("mode", list(BodyMode))
def test_an_answer_may_consist_of_headers_alone(mode: BodyMode) -> None:
    play(ResponseHalf(mode), HeaderOnlyResponse(H), [ReplyResponseHeaders()])


@pytest.mark.parametrize("mode", list(BodyMode))
def test_headers_meant_for_the_client_are_set(mode: BodyMode) -> None:
    half = ResponseHalf(mode)
    half.set_headers = [("x-session-token", "abc")]
    play(half, ResponseHeaders(H), [ReplyResponseHeaders(Mutation([("x-session-token", "abc")]))])


def test_a_filter_may_skip_the_response_headers() -> None:
    play(ResponseHalf(BodyMode.STREAMED), ResponseBody(b"a"), [ReplyResponseBody()])
    play(ResponseHalf(BodyMode.BUFFERED), ResponseLastBody(b"a"), [ReplyResponseBody()])
    play(ResponseHalf(BodyMode.NONE), ResponseTrailers(), [ReplyResponseTrailers()])
    play(ResponseHalf(DUPLEX), ResponseTrailers(), [ReplyResponseTrailers()])
    play(
        ResponseHalf(DUPLEX),
        ResponseBody(b"a"),
        [StreamResponseBody(b"a", end_of_stream=False)],
        ResponseLastBody(b"b"),
        [StreamResponseBody(b"b", end_of_stream=True)],
    )


EVENTS: list[ResponseEvent] = [
    ResponseHeaders(H),
    HeaderOnlyResponse(H),
    ResponseBody(b""),
    ResponseLastBody(b""),
    ResponseTrailers(),
]


@pytest.mark.parametrize(
    ("state", "event"),
    [(s, e) for s, e in product(State, EVENTS) if (s, type(e)) not in TRANSITIONS],
    ids=str,
)
def test_what_is_not_in_the_table_is_a_protocol_error(state: State, event: ResponseEvent) -> None:
    half = ResponseHalf(DUPLEX)
    half.state = state
    with pytest.raises(ProtocolError, match=f"{type(event).__name__} while the response is"):
        half.receive(event)


def test_its_repr_tells_where_it_stands() -> None:
    assert repr(ResponseHalf(DUPLEX)) == "<ResponseHalf DUPLEX>"
