"""The response half of an ext_proc stream.

It runs by itself: an answer may come while the request is still on its way (Envoy's own 413), or
without one ever being seen (a filter before the picker denied it).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from epp.exchange.actions import (
    Mutation,
    ReplyResponseBody,
    ReplyResponseHeaders,
    ReplyResponseTrailers,
    ResponseReply,
    StreamResponseBody,
)
from epp.exchange.chunks import chunks
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


class State(enum.IntEnum):
    """Where the response half stands."""

    WAITING = enum.auto()  # for an answer whose body is acknowledged
    ACKNOWLEDGING = enum.auto()
    DUPLEX = enum.auto()  # waiting for an answer whose body is given back
    ECHOING = enum.auto()
    DONE = enum.auto()


START = {
    BodyMode.NONE: State.WAITING,
    BodyMode.STREAMED: State.WAITING,
    BodyMode.BUFFERED: State.WAITING,
    BodyMode.BUFFERED_PARTIAL: State.WAITING,
    BodyMode.FULL_DUPLEX_STREAMED: State.DUPLEX,
}

Effect = Callable[["ResponseHalf", Any], list[ResponseReply]]


def _pass_headers(
    half: ResponseHalf, _: ResponseHeaders | HeaderOnlyResponse
) -> list[ResponseReply]:
    return [ReplyResponseHeaders(Mutation(half.set_headers) if half.set_headers else None)]


def _acknowledge(_: ResponseHalf, __: ResponseBody | ResponseLastBody) -> list[ResponseReply]:
    return [ReplyResponseBody()]


def _echo(_: ResponseHalf, event: ResponseBody) -> list[ResponseReply]:
    return [StreamResponseBody(data, end_of_stream=False) for data, _ in chunks(event.data)]


def _echo_last(_: ResponseHalf, event: ResponseLastBody) -> list[ResponseReply]:
    return [StreamResponseBody(data, last) for data, last in chunks(event.data)]


def _pass_trailers(_: ResponseHalf, __: ResponseTrailers) -> list[ResponseReply]:
    return [ReplyResponseTrailers()]


S = State
TRANSITIONS: Mapping[tuple[State, type], tuple[State, Effect]] = {
    (S.WAITING, ResponseHeaders): (S.ACKNOWLEDGING, _pass_headers),
    (S.WAITING, HeaderOnlyResponse): (S.DONE, _pass_headers),
    (S.ACKNOWLEDGING, ResponseBody): (S.ACKNOWLEDGING, _acknowledge),
    (S.ACKNOWLEDGING, ResponseLastBody): (S.DONE, _acknowledge),
    (S.ACKNOWLEDGING, ResponseTrailers): (S.DONE, _pass_trailers),
    # a filter may be set to skip the response headers
    (S.WAITING, ResponseBody): (S.ACKNOWLEDGING, _acknowledge),
    (S.WAITING, ResponseLastBody): (S.DONE, _acknowledge),
    (S.WAITING, ResponseTrailers): (S.DONE, _pass_trailers),
    # full duplex: a chunk goes out as soon as it has come in
    (S.DUPLEX, ResponseHeaders): (S.ECHOING, _pass_headers),
    (S.DUPLEX, HeaderOnlyResponse): (S.DONE, _pass_headers),
    (S.ECHOING, ResponseBody): (S.ECHOING, _echo),
    (S.ECHOING, ResponseLastBody): (S.DONE, _echo_last),
    (S.ECHOING, ResponseTrailers): (S.DONE, _pass_trailers),
    (S.DUPLEX, ResponseBody): (S.ECHOING, _echo),
    (S.DUPLEX, ResponseLastBody): (S.DONE, _echo_last),
    (S.DUPLEX, ResponseTrailers): (S.DONE, _pass_trailers),
}


class ResponseHalf:
    """Turns what Envoy says of an answer into what is to be done. Never awaits."""

    __slots__ = ("set_headers", "state")

    def __init__(self, mode: BodyMode) -> None:
        self.state = START[mode]
        self.set_headers: Sequence[tuple[str, str]] = ()  # on the answer, for the client

    def __repr__(self) -> str:
        return f"<ResponseHalf {self.state.name}>"

    def receive(self, event: ResponseEvent) -> list[ResponseReply]:
        """Advance by one event; ProtocolError if it is not allowed now."""
        row = TRANSITIONS.get((self.state, type(event)))
        if row is None:
            raise ProtocolError(f"{type(event).__name__} while the response is {self.state.name}")
        self.state, effect = row
        return effect(self, event)
