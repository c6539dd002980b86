"""The request half of an ext_proc stream.

`TRANSITIONS` is the whole protocol: what is not in it is an error. A stream starts in the state of
its body mode and is routed as soon as that mode lets the picker know all that it will ever know
and still set a header.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any

from epp.exchange.actions import (
    Answer,
    Mutation,
    Refuse,
    ReplyRequestBody,
    ReplyRequestHeaders,
    ReplyRequestTrailers,
    RequestAction,
    Route,
    StreamRequestBody,
)
from epp.exchange.chunks import chunks
from epp.exchange.errors import ProtocolError
from epp.exchange.events import (
    Answered,
    HeaderOnlyRequest,
    Headers,
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

DESTINATION = "x-gateway-destination-endpoint"
CONTENT_LENGTH = "content-length"


class State(enum.IntEnum):
    """Where the request half stands."""

    # nothing received yet, by body mode
    UNSEEN_BODY = enum.auto()  # NONE, STREAMED: headers leave upstream before a body could be read
    ONE_BODY = enum.auto()  # BUFFERED
    CUT_BODY = enum.auto()  # BUFFERED_PARTIAL
    DUPLEX = enum.auto()  # FULL_DUPLEX_STREAMED
    # headers received
    AWAITING_BODY = enum.auto()
    AWAITING_CUT_BODY = enum.auto()
    COLLECTING = enum.auto()
    # the router is asked; what has been received decides how it is answered
    ROUTING_HEADERS = enum.auto()
    ROUTING_HEADERS_ONLY = enum.auto()
    ROUTING_BODY = enum.auto()
    ROUTING_DUPLEX = enum.auto()
    ROUTING_DUPLEX_TRAILERS = enum.auto()
    # answered
    PASSING = enum.auto()  # the body goes by unread
    TRAILING = enum.auto()  # only trailers may still come
    DONE = enum.auto()
    REFUSED = enum.auto()  # or answered by the picker: what still comes is of no interest


START = {
    BodyMode.NONE: State.UNSEEN_BODY,
    BodyMode.STREAMED: State.UNSEEN_BODY,
    BodyMode.BUFFERED: State.ONE_BODY,
    BodyMode.BUFFERED_PARTIAL: State.CUT_BODY,
    BodyMode.FULL_DUPLEX_STREAMED: State.DUPLEX,
}

_BODIES = (RequestBody, RequestLastBody)
_DUPLEX = BodyMode.FULL_DUPLEX_STREAMED  # faster than by the name of its class
_HELD_BACK = {BodyMode.BUFFERED, BodyMode.BUFFERED_PARTIAL}

Effect = Callable[["RequestHalf", Any], list[RequestAction]]


def _route_by_headers(
    _: RequestHalf, event: RequestHeaders | HeaderOnlyRequest
) -> list[RequestAction]:
    return [Route(event.headers, None)]


def _let_body_come(half: RequestHalf, event: RequestHeaders) -> list[RequestAction]:
    """Envoy withholds the body until its headers are answered.

    The destination is not known yet, so a client's own is taken out: whatever happens to this
    stream from here on, nobody can follow it.
    """
    half.headers = event.headers
    removed = (DESTINATION,) if DESTINATION in event.headers else ()
    mutation = Mutation((), removed) if removed else None
    return [ReplyRequestHeaders(mutation, {}, half.override)]


def _keep_headers(half: RequestHalf, event: RequestHeaders) -> list[RequestAction]:
    half.headers = event.headers
    return []


def _keep_body(half: RequestHalf, event: RequestBody) -> list[RequestAction]:
    half.parts.append(event.data)
    return []


def _route_by_body(half: RequestHalf, event: RequestBody | RequestLastBody) -> list[RequestAction]:
    return [Route(half.take_headers(), event.data)]


def _route_by_cut_body(half: RequestHalf, _: RequestBody) -> list[RequestAction]:
    return [Route(half.take_headers(), None)]


def _route_by_all(half: RequestHalf, event: RequestLastBody) -> list[RequestAction]:
    half.parts.append(event.data)
    return [Route(half.take_headers(), half.body())]


def _route_at_trailers(half: RequestHalf, _: RequestTrailers) -> list[RequestAction]:
    return [Route(half.take_headers(), half.body())]


def _place_in_headers(half: RequestHalf, event: Routed) -> list[RequestAction]:
    return [ReplyRequestHeaders(_mutation(event), event.metadata, half.override)]


def _place_in_body(_: RequestHalf, event: Routed) -> list[RequestAction]:
    if event.body is None:
        return [ReplyRequestBody(_mutation(event), event.metadata)]
    # Envoy keeps the length that the client declared, and fails a body of another one.
    removed = (*event.remove_headers, CONTENT_LENGTH)
    mutation = Mutation(event.set_headers, removed, event.clear_route_cache)
    return [ReplyRequestBody(mutation, event.metadata, event.body)]


def _give_back(half: RequestHalf, event: Routed) -> list[RequestAction]:
    headers = ReplyRequestHeaders(_mutation(event), event.metadata)
    body = half.take_body(event.body)
    return [headers, *(StreamRequestBody(data, last) for data, last in chunks(body))]


def _give_back_with_trailers(half: RequestHalf, event: Routed) -> list[RequestAction]:
    actions: list[RequestAction] = [ReplyRequestHeaders(_mutation(event), event.metadata)]
    if body := half.take_body(event.body):
        actions += [StreamRequestBody(data, end_of_stream=False) for data, _ in chunks(body)]
    return [*actions, ReplyRequestTrailers()]


def _acknowledge_body(_: RequestHalf, __: RequestBody | RequestLastBody) -> list[RequestAction]:
    return [ReplyRequestBody()]


def _acknowledge_trailers(_: RequestHalf, __: RequestTrailers) -> list[RequestAction]:
    return [ReplyRequestTrailers()]


def _refuse(_: RequestHalf, event: Refused) -> list[RequestAction]:
    return [Refuse(event)]


def _answer(_: RequestHalf, event: Answered) -> list[RequestAction]:
    return [Answer(event)]


def _too_large(half: RequestHalf, event: RequestOverflow) -> list[RequestAction]:
    message = f"The request body is larger than {event.limit_bytes} bytes."
    path = half.headers.get(":path", "")
    return [Refuse(Refused(413, message, "rejected-too-large", "request_too_large", path=path))]


def _no_place_for_destination(_: RequestHalf, __: RequestTrailers) -> list[RequestAction]:
    return [Refuse(Refused(400, "The request has trailers but no body.", "rejected-malformed"))]


def _nothing(_: RequestHalf, __: RequestEvent) -> list[RequestAction]:
    return []


def _mutation(routed: Routed) -> Mutation:
    return Mutation(routed.set_headers, routed.remove_headers, routed.clear_route_cache)


S = State
TRANSITIONS: Mapping[tuple[State, type], tuple[State, Effect]] = {
    # NONE and STREAMED: the choice is made from the headers
    (S.UNSEEN_BODY, RequestHeaders): (S.ROUTING_HEADERS, _route_by_headers),
    (S.UNSEEN_BODY, HeaderOnlyRequest): (S.ROUTING_HEADERS_ONLY, _route_by_headers),
    (S.ROUTING_HEADERS, Routed): (S.PASSING, _place_in_headers),
    (S.ROUTING_HEADERS, Refused): (S.REFUSED, _refuse),
    (S.PASSING, RequestBody): (S.PASSING, _acknowledge_body),
    (S.PASSING, RequestOverflow): (S.PASSING, _acknowledge_body),
    (S.PASSING, RequestLastBody): (S.DONE, _acknowledge_body),
    (S.PASSING, RequestTrailers): (S.DONE, _acknowledge_trailers),
    # header-only requests, in every mode; some of them the picker can answer
    (S.ROUTING_HEADERS_ONLY, Routed): (S.DONE, _place_in_headers),
    (S.ROUTING_HEADERS_ONLY, Refused): (S.REFUSED, _refuse),
    (S.ROUTING_HEADERS_ONLY, Answered): (S.REFUSED, _answer),
    (S.ROUTING_HEADERS, Answered): (S.REFUSED, _answer),
    (S.ROUTING_BODY, Answered): (S.REFUSED, _answer),
    (S.ROUTING_DUPLEX, Answered): (S.REFUSED, _answer),
    (S.ROUTING_DUPLEX_TRAILERS, Answered): (S.REFUSED, _answer),
    # BUFFERED: one message is the whole body; it is not marked as the last when trailers follow
    (S.ONE_BODY, RequestHeaders): (S.AWAITING_BODY, _let_body_come),
    (S.ONE_BODY, HeaderOnlyRequest): (S.ROUTING_HEADERS_ONLY, _route_by_headers),
    (S.AWAITING_BODY, RequestBody): (S.ROUTING_BODY, _route_by_body),
    (S.AWAITING_BODY, RequestLastBody): (S.ROUTING_BODY, _route_by_body),
    (S.AWAITING_BODY, RequestOverflow): (S.REFUSED, _too_large),
    (S.AWAITING_BODY, RequestTrailers): (S.REFUSED, _no_place_for_destination),
    (S.ROUTING_BODY, Routed): (S.TRAILING, _place_in_body),
    (S.ROUTING_BODY, Refused): (S.REFUSED, _refuse),
    (S.TRAILING, RequestTrailers): (S.DONE, _acknowledge_trailers),
    # BUFFERED_PARTIAL: a message that is not marked as the last may have been cut short
    (S.CUT_BODY, RequestHeaders): (S.AWAITING_CUT_BODY, _let_body_come),
    (S.CUT_BODY, HeaderOnlyRequest): (S.ROUTING_HEADERS_ONLY, _route_by_headers),
    (S.AWAITING_CUT_BODY, RequestBody): (S.ROUTING_BODY, _route_by_cut_body),
    (S.AWAITING_CUT_BODY, RequestLastBody): (S.ROUTING_BODY, _route_by_body),
    (S.AWAITING_CUT_BODY, RequestOverflow): (S.REFUSED, _too_large),
    (S.AWAITING_CUT_BODY, RequestTrailers): (S.REFUSED, _no_place_for_destination),
    # FULL_DUPLEX_STREAMED: all is held until the end, then given back in order
    (S.DUPLEX, RequestHeaders): (S.COLLECTING, _keep_headers),
    (S.DUPLEX, HeaderOnlyRequest): (S.ROUTING_HEADERS_ONLY, _route_by_headers),
    (S.COLLECTING, RequestBody): (S.COLLECTING, _keep_body),
    (S.COLLECTING, RequestLastBody): (S.ROUTING_DUPLEX, _route_by_all),
    (S.COLLECTING, RequestOverflow): (S.REFUSED, _too_large),
    (S.COLLECTING, RequestTrailers): (S.ROUTING_DUPLEX_TRAILERS, _route_at_trailers),
    (S.ROUTING_DUPLEX, Routed): (S.DONE, _give_back),
    (S.ROUTING_DUPLEX, Refused): (S.REFUSED, _refuse),
    (S.ROUTING_DUPLEX_TRAILERS, Routed): (S.DONE, _give_back_with_trailers),
    (S.ROUTING_DUPLEX_TRAILERS, Refused): (S.REFUSED, _refuse),
    # what was on its way when the refusal was sent
    (S.REFUSED, RequestBody): (S.REFUSED, _nothing),
    (S.REFUSED, RequestLastBody): (S.REFUSED, _nothing),
    (S.REFUSED, RequestOverflow): (S.REFUSED, _nothing),
    (S.REFUSED, RequestTrailers): (S.REFUSED, _nothing),
}


class RequestHalf:
    """Turns what Envoy says of a request into what is to be done. Never awaits."""

    __slots__ = ("_limit_bytes", "headers", "override", "parts", "size_bytes", "state")

    def __init__(self, modes: Modes, *, limit_bytes: int, observe: bool = True) -> None:
        self.state = START[modes.request]
        self.headers: Headers = {}
        self.parts: list[bytes] = []
        self.override = _override(modes, observe=observe)
        self._limit_bytes = limit_bytes
        self.size_bytes = 0  # of the body, as far as it has come

    def __repr__(self) -> str:
        return f"<RequestHalf {self.state.name}, {self.size_bytes} bytes>"

    def receive(self, event: RequestEvent) -> list[RequestAction]:
        """Advance by one event; ProtocolError if it is not allowed now."""
        kind = type(event)
        if kind in _BODIES:
            self.size_bytes += len(event.data)  # type: ignore[union-attr]  # faster than isinstance
            if self.size_bytes > self._limit_bytes:
                event = RequestOverflow(self._limit_bytes)
                kind = RequestOverflow
        row = TRANSITIONS.get((self.state, kind))
        if row is None:
            raise ProtocolError(f"{kind.__name__} while the request is {self.state.name}")
        self.state, effect = row
        return effect(self, event)

    def body(self) -> bytes:
        """Return all of the body so far; its parts are joined once."""
        if len(self.parts) > 1:
            self.parts = [b"".join(self.parts)]
        return self.parts[0] if self.parts else b""

    def take_body(self, instead: bytes | None) -> bytes:
        """Return the body, or what goes in its place, and keep no hold on it: the answer may take
        minutes.
        """
        body = self.body() if instead is None else instead
        self.parts = []
        return body

    def take_headers(self) -> Headers:
        """Return the headers and keep no hold on them either."""
        headers, self.headers = self.headers, {}
        return headers


def _override(modes: Modes, *, observe: bool) -> Modes | None:
    """Keep Envoy from holding back a whole answer, which would undo token streaming.

    It has to go out with the first reply: sent with the response headers, it races with the body.
    Envoy ignores it unless the filter allows overrides; a chunk of a STREAMED answer is
    acknowledged like a BUFFERED one, so the response half need not know.
    """
    if modes.request is _DUPLEX or modes.response not in _HELD_BACK:
        return None
    return Modes(modes.request, BodyMode.STREAMED if observe else BodyMode.NONE)
