"""What happens on an ext_proc stream: the input of the two halves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

Headers = Mapping[str, str]  # keys in lower case; of a repeated header the last value


class RequestMessage(msgspec.Struct, frozen=True):
    """A part of the request."""


class ResponseEvent(msgspec.Struct, frozen=True):
    """A part of the answer."""


class RequestHeaders(RequestMessage, frozen=True):
    """The client's headers; a body or trailers follow."""

    headers: Headers


class HeaderOnlyRequest(RequestMessage, frozen=True):
    """The client's headers, and that is all: GET, or an empty body."""

    headers: Headers


class RequestBody(RequestMessage, frozen=True):
    """A part of the body; more may follow."""

    data: bytes


class RequestLastBody(RequestMessage, frozen=True):
    """The last part of the body, often empty."""

    data: bytes


class RequestOverflow(msgspec.Struct, frozen=True):
    """A part of the body that takes it over the limit."""

    limit_bytes: int


class RequestTrailers(RequestMessage, frozen=True):
    """The client's trailers, which end the request."""


class AnswerEdit(msgspec.Struct, frozen=True):
    """What the client must not see of what the picker changed in its request."""

    model: str = ""  # in place of the model that answered; empty: leave it
    hide_usage: bool = False  # the client did not ask for the usage of a stream


class Routed(msgspec.Struct, frozen=True):
    """The answer to the action `Route`: where the request goes."""

    set_headers: Sequence[tuple[str, str]]
    remove_headers: Sequence[str] = ()
    metadata: Mapping[str, Mapping[str, str]] = {}  # namespace to key to value
    response_headers: Sequence[tuple[str, str]] = ()  # set on the answer to the client
    body: bytes | None = None  # in place of the client's; None: as it is
    clear_route_cache: bool = False  # the proxy is to choose its route anew, by the headers set
    edit: AnswerEdit | None = None


class Refused(msgspec.Struct, frozen=True):
    """The request ends here. Also an answer to the action `Route`."""

    status: int
    message: str
    reason: str = ""  # value of the reason header
    code: str | None = None  # `code` of an OpenAI error
    param: str | None = None  # `param` of an OpenAI error
    retry_after_s: int | None = None
    path: str = ""  # that was asked for: each API has its own shape of error


class Answered(msgspec.Struct, frozen=True):
    """The picker has the answer itself. Also an answer to the action `Route`."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


class ResponseHeaders(ResponseEvent, frozen=True):
    """The answer's headers; a body or trailers follow."""

    headers: Headers


class HeaderOnlyResponse(ResponseEvent, frozen=True):
    """The answer's headers, and that is all."""

    headers: Headers


class ResponseBody(ResponseEvent, frozen=True):
    """A part of the answer's body; more may follow."""

    data: bytes


class ResponseLastBody(ResponseEvent, frozen=True):
    """The last part of the answer's body, often empty."""

    data: bytes


class ResponseTrailers(ResponseEvent, frozen=True):
    """The answer's trailers, which end it."""


RequestEvent = RequestMessage | RequestOverflow | Routed | Refused | Answered
