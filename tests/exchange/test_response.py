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


# --- editing -------------------------------------------------------------------------------------


class Shout:
    """Holds what it gets until a full stop, and then gives it back in capitals."""

    def __init__(self) -> None:
        self.held = b""

    def feed(self, data: bytes) -> bytes:
        self.held += data
        *sentences, self.held = self.held.split(b".")
        return b"".join(sentence.upper() + b"." for sentence in sentences)

    def end(self) -> bytes:
        return self.held.upper()


def editing(mode: BodyMode, *, edits: bool = True) -> ResponseHalf:
    half = ResponseHalf(mode)
    half.edit(lambda _: Shout() if edits else None)
    return half


LENGTH = {**H, "content-length": "9"}
WITHOUT_LENGTH = ReplyResponseHeaders(Mutation((), ("content-length",)))


def test_an_edited_answer_in_duplex_goes_on_as_the_editor_lets_go_of_it() -> None:
    play(
        editing(DUPLEX),
        ResponseHeaders(LENGTH),
        [WITHOUT_LENGTH],
        ResponseBody(b"a"),
        [],
        ResponseBody(b"b.c"),
        [StreamResponseBody(b"AB.", end_of_stream=False)],
        ResponseLastBody(b""),
        [StreamResponseBody(b"C", end_of_stream=True)],
    )


def test_trailers_in_duplex_come_after_what_was_held() -> None:
    play(
        editing(DUPLEX),
        ResponseHeaders(H),
        [ReplyResponseHeaders()],
        ResponseBody(b"a.b"),
        [StreamResponseBody(b"A.", end_of_stream=False)],
        ResponseTrailers(),
        [StreamResponseBody(b"B", end_of_stream=False), ReplyResponseTrailers()],
    )


@pytest.mark.parametrize("mode", ACKNOWLEDGED)
def test_other_modes_put_what_is_edited_in_the_place_of_what_came(mode: BodyMode) -> None:
    play(
        editing(mode),
        ResponseHeaders(LENGTH),
        [WITHOUT_LENGTH],
        ResponseBody(b"a"),
        [ReplyResponseBody(b"")],
        ResponseBody(b"b."),
        [ReplyResponseBody(b"AB.")],
        ResponseBody(b"X."),
        [ReplyResponseBody()],
        ResponseLastBody(b"c"),
        [ReplyResponseBody(b"C")],
    )
    play(
        editing(mode),
        ResponseHeaders(H),
        [ReplyResponseHeaders()],
        ResponseBody(b"a."),
        [ReplyResponseBody(b"A.")],
        ResponseTrailers(),
        [ReplyResponseTrailers()],
    )


@pytest.mark.parametrize("mode", list(BodyMode))
def test_an_answer_that_has_no_editor_passes_as_it_is(mode: BodyMode) -> None:
    half = editing(mode, edits=False)
    play(half, ResponseHeaders(LENGTH), [ReplyResponseHeaders()])
    data = b"a.b" * 30_000
    replies = half.receive(ResponseBody(data)) + half.receive(ResponseLastBody(b"c"))
    if mode is DUPLEX:
        pieces = [reply for reply in replies if isinstance(reply, StreamResponseBody)]
        assert b"".join(piece.data for piece in pieces) == data + b"c"
        assert all(len(piece.data) <= 62_000 for piece in pieces)
        assert [piece.end_of_stream for piece in pieces] == [False, False, True]
    else:
        assert replies == [ReplyResponseBody()] * 2


@pytest.mark.parametrize("mode", list(BodyMode))
def test_without_headers_nobody_knows_how_to_edit(mode: BodyMode) -> None:
    reply = StreamResponseBody(b"a", True) if mode is DUPLEX else ReplyResponseBody()
    play(editing(mode), ResponseLastBody(b"a"), [reply])
    reply = StreamResponseBody(b"a", False) if mode is DUPLEX else ReplyResponseBody()
    play(editing(mode), ResponseBody(b"a"), [reply])
    play(editing(mode), ResponseTrailers(), [ReplyResponseTrailers()])
    play(editing(mode), HeaderOnlyResponse(LENGTH), [ReplyResponseHeaders()])


def test_an_answer_that_has_begun_is_not_edited() -> None:
    half = ResponseHalf(DUPLEX)
    half.receive(ResponseHeaders(H))
    half.edit(lambda _: Shout())
    play(half, ResponseLastBody(b"a"), [StreamResponseBody(b"a", end_of_stream=True)])


# --- metadata ------------------------------------------------------------------------------------

TOLD = {"ns": {"tokens": 5}}


@pytest.mark.parametrize(
    ("mode", "event", "reply"),
    [
        (DUPLEX, ResponseHeaders(H), ReplyResponseHeaders(None, TOLD)),
        (DUPLEX, HeaderOnlyResponse(H), ReplyResponseHeaders(None, TOLD)),
        (DUPLEX, ResponseBody(b"a"), StreamResponseBody(b"a", False, TOLD)),
        (DUPLEX, ResponseLastBody(b"a"), StreamResponseBody(b"a", True, TOLD)),
        (DUPLEX, ResponseTrailers(), ReplyResponseTrailers(TOLD)),
        (BodyMode.STREAMED, ResponseBody(b"a"), ReplyResponseBody(None, TOLD)),
        (BodyMode.BUFFERED, ResponseLastBody(b"a"), ReplyResponseBody(None, TOLD)),
    ],
)
def test_metadata_is_told_once_with_the_next_reply(
    mode: BodyMode, event: ResponseEvent, reply: object
) -> None:
    half = ResponseHalf(mode)
    half.metadata = TOLD
    play(half, event, [reply])
    assert half.take_metadata() == {}


def test_metadata_waits_while_there_is_nothing_to_reply() -> None:
    half = editing(DUPLEX)
    half.receive(ResponseHeaders(H))
    half.metadata = TOLD
    play(
        half,
        ResponseBody(b"a"),
        [],
        ResponseLastBody(b""),
        [StreamResponseBody(b"A", True, TOLD)],
    )
