"""Between ext_proc messages and the exchange's events and actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from epp._pb.envoy.config.core.v3 import base_pb2 as core
from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.exchange import actions, events
from epp.exchange.errors import ProtocolError
from epp.exchange.modes import BodyMode, Modes
from epp.openai.apis import ANTHROPIC, VLLM_GRPC, parser_of
from epp.openai.errors import anthropic_error_body, error_body, grpc_status
from epp.routing.subset import KEY, NAMESPACE

REASON = "x-llm-d-request-dropped-reason"

Event = events.RequestMessage | events.ResponseEvent

# --- from Envoy ------------------------------------------------------------------------------


class Around(msgspec.Struct, frozen=True):
    """What a message says beside what has happened."""

    body_modes: tuple[int, int] | None = None  # of request and answer; only a first message says
    eligible: list[str] | None = None  # the proxy's subset of the pool; None: it gave none
    unheard: bool = False  # the proxy hears no reply


class Heard(msgspec.Struct, frozen=True):
    """A message, read."""

    event: Event
    around: Around


def around(message: pb.ProcessingRequest) -> Around:
    """Return what `message` says beside its event."""
    config = message.protocol_config if message.HasField("protocol_config") else None
    return Around(
        None if config is None else (config.request_body_mode, config.response_body_mode),
        subset(message, NAMESPACE, KEY),
        message.observability_mode,
    )


def modes(beside: Around) -> Modes | None:
    """Return the stream's body modes, which its first message carries (older proxies: not)."""
    if beside.body_modes is None:
        return None
    try:
        return _modes(*beside.body_modes)
    except ValueError as error:
        raise ProtocolError(f"unsupported body mode: {error}") from error


@lru_cache  # 16 pairs are valid; saves 1 µs
def _modes(request: int, response: int) -> Modes:
    return Modes(BodyMode(request), BodyMode(response))


def subset(message: pb.ProcessingRequest, namespace: str, key: str) -> list[str] | None:
    """Return the strings under `key` of the proxy's metadata; None if the proxy gave none."""
    if not message.HasField("metadata_context"):
        return None
    given = message.metadata_context.filter_metadata
    if namespace not in given or key not in given[namespace].fields:
        return None
    value = given[namespace].fields[key]
    if value.HasField("list_value"):
        return [v.string_value for v in value.list_value.values if v.HasField("string_value")]
    return [value.string_value] if value.HasField("string_value") else []


def event(message: pb.ProcessingRequest) -> Event:
    """Return what `message` says; ProtocolError if it says nothing."""
    kind = message.WhichOneof("request")
    if kind is None:
        raise ProtocolError("a message without content")
    return _EVENTS[kind](getattr(message, kind))


def _headers(message: pb.HttpHeaders) -> dict[str, str]:
    return {
        h.key.lower(): h.raw_value.decode("utf-8", "replace") or h.value
        for h in message.headers.headers
    }


def _request_headers(message: pb.HttpHeaders) -> events.RequestMessage:
    if message.end_of_stream:
        return events.HeaderOnlyRequest(_headers(message))
    return events.RequestHeaders(_headers(message))


def _request_body(message: pb.HttpBody) -> events.RequestMessage:
    if message.end_of_stream:
        return events.RequestLastBody(message.body)
    return events.RequestBody(message.body)


def _response_headers(message: pb.HttpHeaders) -> events.ResponseEvent:
    if message.end_of_stream:
        return events.HeaderOnlyResponse(_headers(message))
    return events.ResponseHeaders(_headers(message))


def _response_body(message: pb.HttpBody) -> events.ResponseEvent:
    if message.end_of_stream:
        return events.ResponseLastBody(message.body)
    return events.ResponseBody(message.body)


_EVENTS: Mapping[str, Callable[[Any], Event]] = {
    "request_headers": _request_headers,
    "request_body": _request_body,
    "request_trailers": lambda _: events.RequestTrailers(),
    "response_headers": _response_headers,
    "response_body": _response_body,
    "response_trailers": lambda _: events.ResponseTrailers(),
}

# --- to Envoy --------------------------------------------------------------------------------
#
# Messages are filled in place: one that is handed to another's constructor is copied, at each
# level anew.


def reply(action: actions.RequestReply | actions.ResponseReply) -> pb.ProcessingResponse:
    """Return the message that performs `action`. Replies without content are shared."""
    return _REPLIES[type(action)](action)


def _request_headers_reply(action: actions.ReplyRequestHeaders) -> pb.ProcessingResponse:
    message = pb.ProcessingResponse()
    message.request_headers.SetInParent()  # there may be no mutation to bring it about
    _mutate(message.request_headers.response, action.mutation)
    _tell(message, action.metadata)
    if action.override:
        override = message.mode_override
        override.request_body_mode = action.override.request  # type: ignore[assignment]
        override.response_body_mode = action.override.response  # type: ignore[assignment]
    return message


def _request_body_reply(action: actions.ReplyRequestBody) -> pb.ProcessingResponse:
    if action.mutation is None:
        return _REQUEST_BODY
    message = pb.ProcessingResponse()
    _mutate(message.request_body.response, action.mutation)
    if action.body is not None:
        message.request_body.response.body_mutation.body = action.body
    _tell(message, action.metadata)
    return message


def _request_body_part(action: actions.StreamRequestBody) -> pb.ProcessingResponse:
    message = pb.ProcessingResponse()
    part = message.request_body.response.body_mutation.streamed_response
    part.body = action.data
    if action.end_of_stream:
        part.end_of_stream = True
    return message


def _response_headers_reply(action: actions.ReplyResponseHeaders) -> pb.ProcessingResponse:
    if action.mutation is None and not action.metadata:
        return _RESPONSE_HEADERS
    message = pb.ProcessingResponse()
    message.response_headers.SetInParent()
    _mutate(message.response_headers.response, action.mutation)
    _tell(message, action.metadata)
    return message


def _response_body_reply(action: actions.ReplyResponseBody) -> pb.ProcessingResponse:
    if action.body is None and not action.metadata:
        return _RESPONSE_BODY
    message = pb.ProcessingResponse()
    message.response_body.SetInParent()
    if action.body is not None:
        message.response_body.response.body_mutation.body = action.body
    _tell(message, action.metadata)
    return message


def _response_body_part(action: actions.StreamResponseBody) -> pb.ProcessingResponse:
    message = pb.ProcessingResponse()
    part = message.response_body.response.body_mutation.streamed_response
    part.body = action.data
    if action.end_of_stream:
        part.end_of_stream = True
    if action.metadata:
        _tell(message, action.metadata)
    return message


def _response_trailers_reply(action: actions.ReplyResponseTrailers) -> pb.ProcessingResponse:
    if not action.metadata:
        return _RESPONSE_TRAILERS
    message = pb.ProcessingResponse()
    message.response_trailers.SetInParent()
    _tell(message, action.metadata)
    return message


def _refusal(action: actions.Refuse) -> pb.ProcessingResponse:
    refused = action.refused
    headers = [("content-type", "application/json")]
    if refused.reason:
        headers.append((REASON, refused.reason))
    if refused.retry_after_s is not None:
        headers.append(("retry-after", str(refused.retry_after_s)))
    message = pb.ProcessingResponse()
    answer = message.immediate_response
    answer.status.code = refused.status  # type: ignore[assignment]  # any code is legal
    _set(answer.headers, headers)
    parser = parser_of(refused.path)
    if parser == VLLM_GRPC:  # Envoy makes of it what gRPC clients read
        answer.grpc_status.status = grpc_status(refused.status)
        answer.body = refused.message.encode(errors="replace")
    else:
        shape = anthropic_error_body if parser == ANTHROPIC else error_body
        answer.body = shape(refused.status, refused.message, code=refused.code, param=refused.param)
    answer.details = f"epp_{refused.reason or refused.status}"
    return message


def _answer(action: actions.Answer) -> pb.ProcessingResponse:
    answered = action.answered
    message = pb.ProcessingResponse()
    answer = message.immediate_response
    answer.status.code = answered.status  # type: ignore[assignment]  # any code is legal
    _set(answer.headers, answered.headers)
    answer.body = answered.body
    answer.details = "epp_answered"
    return message


_REQUEST_BODY = pb.ProcessingResponse(request_body=pb.BodyResponse())
_REQUEST_TRAILERS = pb.ProcessingResponse(request_trailers=pb.TrailersResponse())
_RESPONSE_HEADERS = pb.ProcessingResponse(response_headers=pb.HeadersResponse())
_RESPONSE_BODY = pb.ProcessingResponse(response_body=pb.BodyResponse())
_RESPONSE_TRAILERS = pb.ProcessingResponse(response_trailers=pb.TrailersResponse())

_REPLIES: Mapping[type, Callable[[Any], pb.ProcessingResponse]] = {
    actions.ReplyRequestHeaders: _request_headers_reply,
    actions.ReplyRequestBody: _request_body_reply,
    actions.StreamRequestBody: _request_body_part,
    actions.ReplyRequestTrailers: lambda _: _REQUEST_TRAILERS,
    actions.ReplyResponseHeaders: _response_headers_reply,
    actions.ReplyResponseBody: _response_body_reply,
    actions.StreamResponseBody: _response_body_part,
    actions.ReplyResponseTrailers: _response_trailers_reply,
    actions.Refuse: _refusal,
    actions.Answer: _answer,
}


def _mutate(common: pb.CommonResponse, mutation: actions.Mutation | None) -> None:
    if mutation is not None:
        _set(common.header_mutation, mutation.set_headers)
        common.header_mutation.remove_headers.extend(mutation.remove_headers)
        if mutation.clear_route_cache:
            common.clear_route_cache = True


def _set(mutation: pb.HeaderMutation, headers: Sequence[tuple[str, str]]) -> None:
    for key, value in headers:
        option = mutation.set_headers.add(
            append_action=core.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
        )
        option.header.key, option.header.raw_value = key, value.encode()


def _tell(message: pb.ProcessingResponse, metadata: actions.Metadata) -> None:
    for namespace, values in metadata.items():
        fields = message.dynamic_metadata.fields[namespace].struct_value.fields
        for key, value in values.items():
            if isinstance(value, str):
                fields[key].string_value = value
            else:
                fields[key].number_value = value
