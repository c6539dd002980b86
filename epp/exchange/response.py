"""The response half of an ext_proc stream.

It runs by itself: an answer may come while the request is still on its way (Envoy's own 413), or
without one ever being seen (a filter before the picker denied it).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from epp.exchange.actions import (
    Metadata,
    Mutation,
    ReplyResponseBody,
    ReplyResponseHeaders,
    ReplyResponseTrailers,
    ResponseReply,
    StreamResponseBody,
)
from epp.exchange.chunks import CHUNK_BYTES, chunks
from epp.exchange.errors import ProtocolError
from epp.exchange.events import (
    HeaderOnlyResponse,
    Headers,
    ResponseBody,
    ResponseEvent,
    ResponseHeaders,
    ResponseLastBody,
    ResponseTrailers,
)
from epp.exchange.modes import BodyMode

_LENGTH = "content-length"
_NOTHING: Metadata = {}


class Editor(Protocol):
    """Changes an answer on its way: bytes in, bytes out; it may hold some until `end`."""

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; return what can go on."""
        ...

    def end(self) -> bytes:
        """Return what is held."""
        ...


class Untouched:
    """Lets an answer pass that cannot be edited."""

    def feed(self, data: bytes) -> bytes:
        """Return `data`."""
        return data

    def end(self) -> bytes:
        """Return nothing."""
        return b""


UNTOUCHED = Untouched()
StartEditor = Callable[[Headers], Editor | None]  # None: leave this answer as it is


class State(enum.IntEnum):
    """Where the response half stands."""

    WAITING = enum.auto()  # for an answer whose body is acknowledged
    ACKNOWLEDGING = enum.auto()
    DUPLEX = enum.auto()  # waiting for an answer whose body is given back
    ECHOING = enum.auto()
    # the same for an answer that is to be edited
    EDIT_WAITING = enum.auto()
    EDITING = enum.auto()
    EDIT_DUPLEX = enum.auto()
    EDITING_DUPLEX = enum.auto()
    DONE = enum.auto()


START = {
    BodyMode.NONE: State.WAITING,
    BodyMode.STREAMED: State.WAITING,
    BodyMode.BUFFERED: State.WAITING,
    BodyMode.BUFFERED_PARTIAL: State.WAITING,
    BodyMode.FULL_DUPLEX_STREAMED: State.DUPLEX,
}
_TO_EDIT = {State.WAITING: State.EDIT_WAITING, State.DUPLEX: State.EDIT_DUPLEX}

Effect = Callable[["ResponseHalf", Any], list[ResponseReply]]


def _pass_headers(
    half: ResponseHalf, _: ResponseHeaders | HeaderOnlyResponse
) -> list[ResponseReply]:
    mutation = Mutation(half.set_headers) if half.set_headers else None
    return [ReplyResponseHeaders(mutation, half.take_metadata())]


def _start_editing(half: ResponseHalf, event: ResponseHeaders) -> list[ResponseReply]:
    """The length will be another, and is to be left out before the body is known."""
    if not half.start_editor(event.headers):
        return _pass_headers(half, event)
    removed = (_LENGTH,) if _LENGTH in event.headers else ()
    mutation = Mutation(half.set_headers, removed) if half.set_headers or removed else None
    return [ReplyResponseHeaders(mutation, half.take_metadata())]


def _acknowledge(half: ResponseHalf, _: ResponseBody | ResponseLastBody) -> list[ResponseReply]:
    return [ReplyResponseBody(metadata=half.take_metadata())]


def _echo(half: ResponseHalf, event: ResponseBody) -> list[ResponseReply]:
    return _streamed(half, event.data, last=False)


def _echo_last(half: ResponseHalf, event: ResponseLastBody) -> list[ResponseReply]:
    return _streamed(half, event.data, last=True)


def _pass_trailers(half: ResponseHalf, _: ResponseTrailers) -> list[ResponseReply]:
    return [ReplyResponseTrailers(half.take_metadata())]


def _edit(half: ResponseHalf, event: ResponseBody) -> list[ResponseReply]:
    return _edited(half, event.data, half.editor.feed(event.data))


def _edit_last(half: ResponseHalf, event: ResponseLastBody) -> list[ResponseReply]:
    return _edited(half, event.data, half.editor.feed(event.data) + half.editor.end())


def _edit_streamed(half: ResponseHalf, event: ResponseBody) -> list[ResponseReply]:
    """Envoy waits for no answer to a chunk of a duplex body, so that none is needed."""
    data = half.editor.feed(event.data)
    return _streamed(half, data, last=False) if data else []


def _edit_streamed_last(half: ResponseHalf, event: ResponseLastBody) -> list[ResponseReply]:
    return _streamed(half, half.editor.feed(event.data) + half.editor.end(), last=True)


def _let_go_at_trailers(half: ResponseHalf, event: ResponseTrailers) -> list[ResponseReply]:
    rest = half.editor.end()
    held = _streamed(half, rest, last=False) if rest else []
    return [*held, *_pass_trailers(half, event)]


def _streamed(half: ResponseHalf, data: bytes, *, last: bool) -> list[ResponseReply]:
    metadata = half.take_metadata() if half.metadata else _NOTHING
    if len(data) <= CHUNK_BYTES:  # as nearly all of them
        return [StreamResponseBody(data, last, metadata)]
    return [StreamResponseBody(part, last and end, metadata) for part, end in chunks(data)]


def _edited(half: ResponseHalf, came: bytes, goes: bytes) -> list[ResponseReply]:
    return [ReplyResponseBody(None if goes == came else goes, half.take_metadata())]


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
    # edited where the body is acknowledged. Trailers come after all of the body, and cannot give
    # back what is held of it: at most an object or an event that has no end.
    (S.EDIT_WAITING, ResponseHeaders): (S.EDITING, _start_editing),
    (S.EDIT_WAITING, HeaderOnlyResponse): (S.DONE, _pass_headers),
    (S.EDITING, ResponseBody): (S.EDITING, _edit),
    (S.EDITING, ResponseLastBody): (S.DONE, _edit_last),
    (S.EDITING, ResponseTrailers): (S.DONE, _pass_trailers),
    (S.EDIT_WAITING, ResponseBody): (S.ACKNOWLEDGING, _acknowledge),
    (S.EDIT_WAITING, ResponseLastBody): (S.DONE, _acknowledge),
    (S.EDIT_WAITING, ResponseTrailers): (S.DONE, _pass_trailers),
    # edited in full duplex
    (S.EDIT_DUPLEX, ResponseHeaders): (S.EDITING_DUPLEX, _start_editing),
    (S.EDIT_DUPLEX, HeaderOnlyResponse): (S.DONE, _pass_headers),
    (S.EDITING_DUPLEX, ResponseBody): (S.EDITING_DUPLEX, _edit_streamed),
    (S.EDITING_DUPLEX, ResponseLastBody): (S.DONE, _edit_streamed_last),
    (S.EDITING_DUPLEX, ResponseTrailers): (S.DONE, _let_go_at_trailers),
    (S.EDIT_DUPLEX, ResponseBody): (S.ECHOING, _echo),
    (S.EDIT_DUPLEX, ResponseLastBody): (S.DONE, _echo_last),
    (S.EDIT_DUPLEX, ResponseTrailers): (S.DONE, _pass_trailers),
}


class ResponseHalf:
    """Turns what Envoy says of an answer into what is to be done. Never awaits."""

    __slots__ = ("_start", "editor", "metadata", "set_headers", "state")

    def __init__(self, mode: BodyMode) -> None:
        self.state = START[mode]
        self.set_headers: Sequence[tuple[str, str]] = ()  # on the answer, for the client
        self.metadata: Metadata = _NOTHING  # for the next reply
        self.editor: Editor = UNTOUCHED
        self._start: StartEditor | None = None

    def __repr__(self) -> str:
        return f"<ResponseHalf {self.state.name}>"

    def receive(self, event: ResponseEvent) -> list[ResponseReply]:
        """Advance by one event; ProtocolError if it is not allowed now."""
        row = TRANSITIONS.get((self.state, type(event)))
        if row is None:
            raise ProtocolError(f"{type(event).__name__} while the response is {self.state.name}")
        self.state, effect = row
        return effect(self, event)

    def edit(self, start: StartEditor) -> None:
        """Have the answer edited, unless it has begun already."""
        self.state = _TO_EDIT.get(self.state, self.state)
        self._start = start

    def start_editor(self, headers: Headers) -> bool:
        """Tell whether the answer with these headers is edited from here on."""
        started = self._start(headers) if self._start is not None else None
        self.editor = started or UNTOUCHED
        return started is not None

    def take_metadata(self) -> Metadata:
        """Return what the next reply is to tell the proxy; it is told once."""
        metadata, self.metadata = self.metadata, _NOTHING
        return metadata
