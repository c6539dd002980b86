"""Between ext_proc messages and the exchange's events and actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from google.protobuf.struct_pb2 import Struct, Value

from epp._pb.envoy.config.core.v3 import base_pb2 as core
from epp._pb.envoy.extensions.filters.http.ext_proc.v3.processing_mode_pb2 import ProcessingMode
from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp._pb.envoy.type.v3.http_status_pb2 import HttpStatus
from epp.exchange import actions, events
from epp.exchange.errors import ProtocolError
from epp.exchange.modes import BodyMode, Modes
from epp.openai.errors import error_body

REASON = "x-llm-d-request-dropped-reason"

# --- from Envoy ------------------------------------------------------------------------------


def modes(message: pb.ProcessingRequest) -> Modes | None:
    """Return the stream's body modes, which its first message carries (older proxies: not)."""
    if not message.HasField("protocol_config"):
        return None
    config = message.protocol_config
    try:
        return Modes(BodyMode(config.request_body_mode), BodyMode(config.response_body_mode))
    except ValueError as error:
        raise ProtocolError(f"unsupported body mode: {error}") from error


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


def event(message: pb.ProcessingRequest) -> events.RequestMessage | events.ResponseEvent:
    """Return what `message` says; ProtocolError if it says nothing."""
    kind = message.WhichOneof("request")
    if kind is None:
        raise ProtocolError("a message without content")
    return _EVENTS[kind](getattr(message, kind))


def _headers(message: pb.HttpHeaders) -> dict[str, str]:
    return {
        h.key.lower(): h.raw_value.decode("utf-8", "replace") if h.raw_value else h.value
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


_EVENTS: Mapping[str, Callable[[Any], events.RequestMessage | events.ResponseEvent]] = {
    "request_headers": _request_headers,
    "request_body": _request_body,
    "request_trailers": lambda _: events.RequestTrailers(),
    "response_headers": _response_headers,
    "response_body": _response_body,
    "response_trailers": lambda _: events.ResponseTrailers(),
}

# --- to Envoy --------------------------------------------------------------------------------


def reply(action: actions.RequestReply | actions.ResponseReply) -> pb.ProcessingResponse:
    """Return the message that performs `action`. Replies without content are shared."""
    return _REPLIES[type(action)](action)


def _request_headers_reply(action: actions.ReplyRequestHeaders) -> pb.ProcessingResponse:
    message = pb.ProcessingResponse(
        request_headers=pb.HeadersResponse(response=_common(action.mutation)),
        dynamic_metadata=_metadata(action.metadata),
    )
    if action.override:
        message.mode_override.CopyFrom(
            ProcessingMode(
                request_body_mode=action.override.request.name,
                response_body_mode=action.override.response.name,
            )
        )
    return message


def _request_body_reply(action: actions.ReplyRequestBody) -> pb.ProcessingResponse:
    if action.mutation is None:
        return _REQUEST_BODY
    return pb.ProcessingResponse(
        request_body=pb.BodyResponse(response=_common(action.mutation)),
        dynamic_metadata=_metadata(action.metadata),
    )


def _request_body_part(action: actions.StreamRequestBody) -> pb.ProcessingResponse:
    return pb.ProcessingResponse(request_body=_part(action.data, end=action.end_of_stream))


def _response_headers_reply(action: actions.ReplyResponseHeaders) -> pb.ProcessingResponse:
    if action.mutation is None:
        return _RESPONSE_HEADERS
    return pb.ProcessingResponse(
        response_headers=pb.HeadersResponse(response=_common(action.mutation))
    )


def _response_body_part(action: actions.StreamResponseBody) -> pb.ProcessingResponse:
    return pb.ProcessingResponse(response_body=_part(action.data, end=action.end_of_stream))


def _refusal(action: actions.Refuse) -> pb.ProcessingResponse:
    refused = action.refused
    headers = [("content-type", "application/json")]
    if refused.reason:
        headers.append((REASON, refused.reason))
    if refused.retry_after_s is not None:
        headers.append(("retry-after", str(refused.retry_after_s)))
    return pb.ProcessingResponse(
        immediate_response=pb.ImmediateResponse(
            status=HttpStatus(code=refused.status),  # type: ignore[arg-type]  # any code is legal
            headers=pb.HeaderMutation(set_headers=_set(headers)),
            body=error_body(
                refused.status, refused.message, code=refused.code, param=refused.param
            ),
            details=f"epp_{refused.reason or refused.status}",
        )
    )


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
    actions.ReplyResponseBody: lambda _: _RESPONSE_BODY,
    actions.StreamResponseBody: _response_body_part,
    actions.ReplyResponseTrailers: lambda _: _RESPONSE_TRAILERS,
    actions.Refuse: _refusal,
}


def _common(mutation: actions.Mutation | None) -> pb.CommonResponse | None:
    if mutation is None:
        return None
    return pb.CommonResponse(
        header_mutation=pb.HeaderMutation(
            set_headers=_set(mutation.set_headers), remove_headers=mutation.remove_headers
        )
    )


def _set(headers: Sequence[tuple[str, str]]) -> list[core.HeaderValueOption]:
    return [
        core.HeaderValueOption(
            header=core.HeaderValue(key=key, raw_value=value.encode()),
            append_action=core.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD,
        )
        for key, value in headers
    ]


def _part(data: bytes, *, end: bool) -> pb.BodyResponse:
    return pb.BodyResponse(
        response=pb.CommonResponse(
            body_mutation=pb.BodyMutation(
                streamed_response=pb.StreamedBodyResponse(body=data, end_of_stream=end)
            )
        )
    )


def _metadata(metadata: Mapping[str, Mapping[str, str]]) -> Struct | None:
    if not metadata:
        return None
    return Struct(
        fields={
            namespace: Value(
                struct_value=Struct(
                    fields={key: Value(string_value=value) for key, value in values.items()}
                )
            )
            for namespace, values in metadata.items()
        }
    )
