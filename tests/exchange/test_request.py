from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.exchange.actions import (
    Answer,
    Mutation,
    Refuse,
    ReplyRequestBody,
    ReplyRequestHeaders,
    ReplyRequestTrailers,
    Route,
    StreamRequestBody,
)
from epp.exchange.errors import ProtocolError
from epp.exchange.events import (
    Answered,
    HeaderOnlyRequest,
    Refused,
    RequestBody,
    RequestEvent,
    RequestHeaders,
    RequestLastBody,
    RequestOverflow,
    RequestTrailers,
    Routed,
)
from epp.exchange.modes import BodyMode, Modes
from epp.exchange.request import TRANSITIONS, RequestHalf, State
from tests.exchange.transcript import play

H = {":path": "/v1/completions", ":method": "POST"}
SPOOFED = {**H, "x-gateway-destination-endpoint": "192.0.2.66:80"}
B = b'{"model": "m", "prompt": "hello"}'
D = (("x-gateway-destination-endpoint", "10.0.0.1:8000"),)
PLACED = Routed(D, ("x-llm-d-slo-ttft-ms",), {"envoy.lb": {"x": "y"}})
MUTATION = Mutation(D, ("x-llm-d-slo-ttft-ms",))
PLACED_HEADERS = ReplyRequestHeaders(MUTATION, {"envoy.lb": {"x": "y"}})
PLACED_BODY = ReplyRequestBody(MUTATION, {"envoy.lb": {"x": "y"}})
NO_ROOM = Refused(503, "none", "rejected-no-endpoints")
LIMIT = 1000

NONE, STREAMED, BUFFERED, PARTIAL, DUPLEX = (
    BodyMode.NONE,
    BodyMode.STREAMED,
    BodyMode.BUFFERED,
    BodyMode.BUFFERED_PARTIAL,
    BodyMode.FULL_DUPLEX_STREAMED,
)


def half(
    mode: BodyMode, response: BodyMode = BodyMode.NONE, *, observe: bool = True
) -> RequestHalf:
    return RequestHalf(Modes(mode, response), limit_bytes=LIMIT, observe=observe)


# --- full duplex ------------------------------------------------------------------------------


def test_duplex_holds_everything_until_the_body_has_ended() -> None:
    play(
        half(DUPLEX),
        RequestHeaders(H),
        RequestBody(B[:9]),
        [],
        RequestLastBody(B[9:]),
        [Route(H, B)],
        PLACED,
        [PLACED_HEADERS, StreamRequestBody(B, end_of_stream=True)],
    )


def test_duplex_takes_a_zero_length_last_chunk() -> None:
    play(
        half(DUPLEX),
        RequestHeaders(H),
        RequestBody(B),
        RequestLastBody(b""),
        [Route(H, B)],
        PLACED,
        [PLACED_HEADERS, StreamRequestBody(B, end_of_stream=True)],
    )


def test_duplex_gives_an_empty_body_back_as_one_empty_last_chunk() -> None:
    play(
        half(DUPLEX),
        RequestHeaders(H),
        RequestLastBody(b""),
        [Route(H, b"")],
        PLACED,
        [PLACED_HEADERS, StreamRequestBody(b"", end_of_stream=True)],
    )


def test_duplex_trailers_end_the_body_and_leave_its_last_chunk_open() -> None:
    play(
        half(DUPLEX),
        RequestHeaders(H),
        RequestBody(B),
        RequestTrailers(),
        [Route(H, B)],
        PLACED,
        [PLACED_HEADERS, StreamRequestBody(B, end_of_stream=False), ReplyRequestTrailers()],
    )


def test_duplex_trailers_without_a_body_need_no_chunk() -> None:
    play(
        half(DUPLEX),
        RequestHeaders(H),
        RequestTrailers(),
        [Route(H, b"")],
        PLACED,
        [PLACED_HEADERS, ReplyRequestTrailers()],
    )


def test_duplex_cuts_a_long_body() -> None:
    body = bytes(range(256)) * 500
    long = RequestHalf(Modes(DUPLEX, DUPLEX), limit_bytes=len(body))
    play(
        long,
        RequestHeaders(H),
        RequestBody(body),
        RequestLastBody(b""),
        [Route(H, body)],
        PLACED,
        [
            PLACED_HEADERS,
            StreamRequestBody(body[:62_000], end_of_stream=False),
            StreamRequestBody(body[62_000:124_000], end_of_stream=False),
            StreamRequestBody(body[124_000:], end_of_stream=True),
        ],
    )


def test_duplex_cuts_a_long_body_that_trailers_follow_and_ends_no_piece() -> None:
    body = bytes(range(256)) * 300
    play(
        RequestHalf(Modes(DUPLEX, DUPLEX), limit_bytes=len(body)),
        RequestHeaders(H),
        RequestBody(body),
        RequestTrailers(),
        [Route(H, body)],
        PLACED,
        [
            PLACED_HEADERS,
            StreamRequestBody(body[:62_000], end_of_stream=False),
            StreamRequestBody(body[62_000:], end_of_stream=False),
            ReplyRequestTrailers(),
        ],
    )


@pytest.mark.parametrize("mode", list(BodyMode))
@pytest.mark.parametrize("trailers", [False, True])
def test_once_placed_nothing_of_the_request_is_held(mode: BodyMode, trailers: bool) -> None:
    machine = half(mode)
    asked = machine.receive(RequestHeaders(H))
    if mode not in {NONE, STREAMED}:
        asked = machine.receive(RequestBody(B) if trailers else RequestLastBody(B))
    if mode is DUPLEX and trailers:
        asked = machine.receive(RequestTrailers())
    assert isinstance(asked[0], Route)
    machine.receive(PLACED)
    assert (machine.headers, machine.parts) == ({}, [])


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6), st.booleans())
def test_where_a_duplex_body_is_cut_never_matters(
    body: bytes, cuts: list[int], trailers: bool
) -> None:
    edges = sorted({0, len(body), *(c for c in cuts if c < len(body))})
    parts = [body[a:b] for a, b in pairwise(edges)] or [b""]
    machine = half(DUPLEX)
    machine.receive(RequestHeaders(H))
    if trailers:
        for part in parts:
            assert machine.receive(RequestBody(part)) == []
        asked = machine.receive(RequestTrailers())
    else:
        for part in parts[:-1]:
            assert machine.receive(RequestBody(part)) == []
        asked = machine.receive(RequestLastBody(parts[-1]))
    assert asked == [Route(H, body)]
    given_back = [a for a in machine.receive(PLACED) if isinstance(a, StreamRequestBody)]
    assert b"".join(a.data for a in given_back) == body
    ends = [a.end_of_stream for a in given_back]
    assert ends == ([False] * bool(body) if trailers else [True])


# --- buffered ---------------------------------------------------------------------------------


def test_buffered_answers_the_headers_at_once_and_places_in_the_body_reply() -> None:
    play(
        half(BUFFERED),
        RequestHeaders(H),
        [ReplyRequestHeaders()],
        RequestLastBody(B),
        [Route(H, B)],
        PLACED,
        [PLACED_BODY],
    )


def test_buffered_takes_its_one_body_message_as_complete_when_trailers_follow() -> None:
    play(
        half(BUFFERED),
        RequestHeaders(H),
        [ReplyRequestHeaders()],
        RequestBody(B),
        [Route(H, B)],
        PLACED,
        [PLACED_BODY],
        RequestTrailers(),
        [ReplyRequestTrailers()],
    )


def test_buffered_takes_a_clients_destination_out_before_the_body_is_let_through() -> None:
    play(
        half(BUFFERED),
        RequestHeaders(SPOOFED),
        [ReplyRequestHeaders(Mutation((), ("x-gateway-destination-endpoint",)))],
        RequestLastBody(B),
        [Route(SPOOFED, B)],
        PLACED,
        [PLACED_BODY],
    )


@pytest.mark.parametrize("mode", [BUFFERED, PARTIAL])
def test_trailers_without_a_body_leave_no_message_for_a_destination(mode: BodyMode) -> None:
    refused = Refused(400, "The request has trailers but no body.", "rejected-malformed")
    play(
        half(mode), RequestHeaders(H), [ReplyRequestHeaders()], RequestTrailers(), [Refuse(refused)]
    )


def test_a_partial_body_that_may_be_cut_short_is_not_parsed() -> None:
    play(
        half(PARTIAL),
        RequestHeaders(H),
        [ReplyRequestHeaders()],
        RequestBody(B[:10]),
        [Route(H, None)],
        PLACED,
        [PLACED_BODY],
    )


def test_a_partial_body_that_is_whole_is_parsed() -> None:
    play(
        half(PARTIAL),
        RequestHeaders(H),
        [ReplyRequestHeaders()],
        RequestLastBody(B),
        [Route(H, B)],
        PLACED,
        [PLACED_BODY],
    )


# --- another body -----------------------------------------------------------------------------

REWRITTEN = Routed(D, (), {}, body=b'{"model": "other"}')


def test_buffered_replaces_the_body_and_drops_its_declared_length() -> None:
    play(
        half(BUFFERED),
        RequestHeaders(H),
        [ReplyRequestHeaders()],
        RequestLastBody(B),
        [Route(H, B)],
        REWRITTEN,
        [ReplyRequestBody(Mutation(D, ("content-length",)), {}, b'{"model": "other"}')],
    )


def test_duplex_gives_another_body_back() -> None:
    play(
        half(DUPLEX),
        RequestHeaders(H),
        RequestBody(B[:9]),
        RequestLastBody(B[9:]),
        [Route(H, B)],
        REWRITTEN,
        [
            ReplyRequestHeaders(Mutation(D)),
            StreamRequestBody(b'{"model": "other"}', end_of_stream=True),
        ],
    )


def test_duplex_gives_another_body_back_before_trailers() -> None:
    play(
        half(DUPLEX),
        RequestHeaders(H),
        RequestBody(B),
        RequestTrailers(),
        [Route(H, B)],
        REWRITTEN,
        [
            ReplyRequestHeaders(Mutation(D)),
            StreamRequestBody(b'{"model": "other"}', end_of_stream=False),
            ReplyRequestTrailers(),
        ],
    )


# --- streamed and none ------------------------------------------------------------------------


def test_streamed_is_routed_by_its_headers_and_lets_the_body_pass() -> None:
    play(
        half(STREAMED),
        RequestHeaders(H),
        [Route(H, None)],
        PLACED,
        [PLACED_HEADERS],
        RequestBody(B[:5]),
        [ReplyRequestBody()],
        RequestLastBody(B[5:]),
        [ReplyRequestBody()],
    )


def test_a_streamed_body_may_be_longer_than_the_limit_for_it_is_not_kept() -> None:
    play(
        half(STREAMED),
        RequestHeaders(H),
        [Route(H, None)],
        PLACED,
        [PLACED_HEADERS],
        RequestBody(b"x" * (LIMIT + 1)),
        [ReplyRequestBody()],
        RequestBody(b"x"),
        [ReplyRequestBody()],
        RequestTrailers(),
        [ReplyRequestTrailers()],
    )


def test_none_is_routed_by_its_headers() -> None:
    play(half(NONE), RequestHeaders(H), [Route(H, None)], PLACED, [PLACED_HEADERS])


@pytest.mark.parametrize("mode", list(BodyMode))
def test_a_request_without_a_body_is_placed_at_once_in_every_mode(mode: BodyMode) -> None:
    play(half(mode), HeaderOnlyRequest(H), [Route(H, None)], PLACED, [PLACED_HEADERS])


# --- mode override ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "response", "observe", "override"),
    [
        (BUFFERED, BUFFERED, True, Modes(BUFFERED, STREAMED)),
        (BUFFERED, BUFFERED, False, Modes(BUFFERED, NONE)),
        (PARTIAL, PARTIAL, True, Modes(PARTIAL, STREAMED)),
        (STREAMED, BUFFERED, True, Modes(STREAMED, STREAMED)),
        (BUFFERED, STREAMED, True, None),
        (BUFFERED, NONE, True, None),
        (BUFFERED, DUPLEX, True, None),
        (DUPLEX, DUPLEX, True, None),
        (DUPLEX, BUFFERED, True, None),
    ],
)
def test_an_override_unbuffers_the_answer_and_goes_out_with_the_first_reply(
    mode: BodyMode, response: BodyMode, observe: bool, override: Modes | None
) -> None:
    machine = half(mode, response, observe=observe)
    replies = machine.receive(HeaderOnlyRequest(H)) and machine.receive(PLACED)
    [headers] = replies
    assert isinstance(headers, ReplyRequestHeaders)
    assert headers.override == override


def test_the_override_does_not_wait_for_the_body() -> None:
    play(
        half(BUFFERED, BUFFERED),
        RequestHeaders(H),
        [ReplyRequestHeaders(override=Modes(BUFFERED, STREAMED))],
    )


# --- refusals ---------------------------------------------------------------------------------


ASKED = {
    NONE: [RequestHeaders(H)],
    STREAMED: [RequestHeaders(H)],
    BUFFERED: [RequestHeaders(H), RequestLastBody(B)],
    PARTIAL: [RequestHeaders(H), RequestLastBody(B)],
    DUPLEX: [RequestHeaders(H), RequestLastBody(B)],
}


@pytest.mark.parametrize(
    ("mode", "events"),
    [
        *ASKED.items(),
        (DUPLEX, [RequestHeaders(H), RequestTrailers()]),
        *((mode, [HeaderOnlyRequest(H)]) for mode in BodyMode),
    ],
)
def test_a_refusal_ends_the_exchange(mode: BodyMode, events: list[RequestEvent]) -> None:
    machine = half(mode)
    for event in events:
        machine.receive(event)
    play(machine, NO_ROOM, [Refuse(NO_ROOM)], RequestBody(b"on its way"), [], RequestTrailers(), [])


@pytest.mark.parametrize("mode", [BUFFERED, PARTIAL, DUPLEX])
def test_a_body_over_the_limit_is_refused(mode: BodyMode) -> None:
    machine = half(mode)
    machine.receive(RequestHeaders(H))
    [action] = machine.receive(RequestBody(b"x" * (LIMIT + 1)))
    assert isinstance(action, Refuse)
    assert (action.refused.status, action.refused.code) == (413, "request_too_large")
    assert "1000 bytes" in action.refused.message


def test_the_limit_counts_all_parts_and_a_body_of_its_very_size_passes() -> None:
    machine = half(DUPLEX)
    machine.receive(RequestHeaders(H))
    machine.receive(RequestBody(b"x" * (LIMIT - 1)))
    assert isinstance(machine.receive(RequestLastBody(b"x"))[0], Route)
    machine = half(DUPLEX)
    machine.receive(RequestHeaders(H))
    machine.receive(RequestBody(b"x" * (LIMIT - 1)))
    assert isinstance(machine.receive(RequestLastBody(b"xx"))[0], Refuse)


# --- the table --------------------------------------------------------------------------------

EVENTS: list[RequestEvent] = [
    RequestHeaders(H),
    HeaderOnlyRequest(H),
    RequestBody(b""),
    RequestLastBody(b""),
    RequestOverflow(1),
    RequestTrailers(),
    PLACED,
    NO_ROOM,
]


@pytest.mark.parametrize(
    ("state", "event"),
    [(s, e) for s, e in product(State, EVENTS) if (s, type(e)) not in TRANSITIONS],
    ids=str,
)
def test_what_is_not_in_the_table_is_a_protocol_error(state: State, event: RequestEvent) -> None:
    machine = half(DUPLEX)
    machine.state = state
    with pytest.raises(
        ProtocolError, match=f"{type(event).__name__} while the request is {state.name}"
    ):
        machine.receive(event)


def test_every_state_can_be_reached_and_left_only_by_the_table() -> None:
    reached = {after for after, _ in TRANSITIONS.values()} | {half(mode).state for mode in BodyMode}
    assert reached == set(State)
    assert {state for state, _ in TRANSITIONS} == set(State) - {State.DONE}


def test_its_repr_tells_where_it_stands() -> None:
    machine = half(DUPLEX)
    machine.receive(RequestHeaders(H))
    machine.receive(RequestBody(b"abc"))
    assert repr(machine) == "<RequestHalf COLLECTING, 3 bytes>"


def test_the_route_is_chosen_anew_where_the_router_wants_it() -> None:
    play(
        half(BUFFERED),
        RequestHeaders(H),
        [ReplyRequestHeaders()],
        RequestLastBody(B),
        [Route(H, B)],
        Routed(D, clear_route_cache=True),
        [ReplyRequestBody(Mutation(D, clear_route_cache=True))],
    )
    play(
        half(BUFFERED),
        RequestHeaders(H),
        [ReplyRequestHeaders()],
        RequestLastBody(B),
        [Route(H, B)],
        Routed(D, clear_route_cache=True, body=b"[]"),
        [ReplyRequestBody(Mutation(D, ("content-length",), clear_route_cache=True), {}, b"[]")],
    )
    play(
        half(DUPLEX),
        RequestHeaders(H),
        RequestLastBody(B),
        [Route(H, B)],
        Routed(D, clear_route_cache=True),
        [
            ReplyRequestHeaders(Mutation(D, clear_route_cache=True)),
            StreamRequestBody(B, end_of_stream=True),
        ],
    )


def test_the_picker_may_have_the_answer_itself_and_what_follows_is_of_no_interest() -> None:
    answered = Answered(200, (), b"{}")
    for mode in BodyMode:
        play(half(mode), HeaderOnlyRequest(H), [Route(H, None)], answered, [Answer(answered)])
    play(
        half(DUPLEX),
        RequestHeaders(H),
        RequestLastBody(B),
        [Route(H, B)],
        answered,
        [Answer(answered)],
        RequestTrailers(),
        [],
    )
