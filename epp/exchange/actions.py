"""What the picker is to do: the output of the two halves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from epp.exchange.events import Answered, Headers, Refused
from epp.exchange.modes import Modes

Metadata = Mapping[str, Mapping[str, str | float]]  # namespace to key to value


class Route(msgspec.Struct, frozen=True):
    """Find a destination; the answer is the event `Routed`, `Refused` or `Answered`.

    `body` is None where there is none to be parsed: no body at all, one that the proxy does not
    show, or one that it cut short.
    """

    headers: Headers
    body: bytes | None


class Mutation(msgspec.Struct, frozen=True):
    """A change of headers: only those named, the others stay untouched."""

    set_headers: Sequence[tuple[str, str]] = ()
    remove_headers: Sequence[str] = ()
    clear_route_cache: bool = False  # Envoy does it only beside a change of headers


class ReplyRequestHeaders(msgspec.Struct, frozen=True):
    """Answer the request headers. `override` asks for other body modes."""

    mutation: Mutation | None = None
    metadata: Metadata = {}
    override: Modes | None = None


class ReplyRequestBody(msgspec.Struct, frozen=True):
    """Answer one body message."""

    mutation: Mutation | None = None
    metadata: Metadata = {}
    body: bytes | None = None  # in place of what came; None: leave its bytes as they are


class StreamRequestBody(msgspec.Struct, frozen=True):
    """Give a part of the body back (full duplex)."""

    data: bytes
    end_of_stream: bool


class ReplyRequestTrailers(msgspec.Struct, frozen=True):
    """Answer the trailers and leave them as they are."""


class ReplyResponseHeaders(msgspec.Struct, frozen=True):
    """Answer the response headers."""

    mutation: Mutation | None = None
    metadata: Metadata = {}


class ReplyResponseBody(msgspec.Struct, frozen=True):
    """Acknowledge one message of the answer's body."""

    body: bytes | None = None  # in place of what came; None: leave its bytes as they are
    metadata: Metadata = {}


class StreamResponseBody(msgspec.Struct, frozen=True):
    """Give a part of the answer's body back (full duplex)."""

    data: bytes
    end_of_stream: bool
    metadata: Metadata = {}


class ReplyResponseTrailers(msgspec.Struct, frozen=True):
    """Answer the trailers of the answer."""

    metadata: Metadata = {}


class Refuse(msgspec.Struct, frozen=True):
    """End the exchange with an answer of the picker's own; nothing may follow."""

    refused: Refused


class Answer(msgspec.Struct, frozen=True):
    """End the exchange with an answer that is no refusal; nothing may follow."""

    answered: Answered


RequestReply = (
    ReplyRequestHeaders
    | ReplyRequestBody
    | StreamRequestBody
    | ReplyRequestTrailers
    | Refuse
    | Answer
)
ResponseReply = (
    ReplyResponseHeaders | ReplyResponseBody | StreamResponseBody | ReplyResponseTrailers
)
RequestAction = Route | RequestReply
