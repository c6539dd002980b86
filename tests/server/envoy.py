"""Envoy's side of a stream: its messages, and readers for what the picker answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from google.protobuf.struct_pb2 import Struct

from epp._pb.envoy.config.core.v3 import base_pb2 as core
from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.exchange.modes import BodyMode

DUPLEX = BodyMode.FULL_DUPLEX_STREAMED
BUFFERED = BodyMode.BUFFERED
SUBSET = "x-gateway-destination-endpoint-subset"
DESTINATION = "x-gateway-destination-endpoint"


def header_map(headers: Iterable[tuple[str, str]]) -> core.HeaderMap:
    return core.HeaderMap(
        headers=[core.HeaderValue(key=key, raw_value=value.encode()) for key, value in headers]
    )


def first(message: pb.ProcessingRequest, mode: BodyMode) -> pb.ProcessingRequest:
    """Give `message` what only a stream's first message carries."""
    message.protocol_config.request_body_mode = mode.value  # type: ignore[assignment]
    message.protocol_config.response_body_mode = mode.value  # type: ignore[assignment]
    message.metadata_context.SetInParent()
    return message


def request_headers(
    path: str = "/v1/completions",
    *,
    mode: BodyMode | None = DUPLEX,
    method: str = "POST",
    end: bool = False,
    subset: Any = None,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
) -> pb.ProcessingRequest:
    own = headers.items() if isinstance(headers, Mapping) else headers
    message = pb.ProcessingRequest(
        request_headers=pb.HttpHeaders(
            headers=header_map(
                [
                    (":authority", "pool.test"),
                    (":path", path),
                    (":method", method),
                    (":scheme", "http"),
                    ("content-type", "application/json"),
                    ("x-request-id", "6024be0a-0000-4000-8000-000000000000"),
                    *own,
                ]
            ),
            end_of_stream=end,
        )
    )
    if mode is not None:
        first(message, mode)
    if subset is not None:
        hint = Struct()
        hint.update({SUBSET: subset})
        message.metadata_context.filter_metadata["envoy.lb.subset_hint"].CopyFrom(hint)
    return message


def request_body(data: bytes | Mapping[str, Any], *, end: bool = True) -> pb.ProcessingRequest:
    body = data if isinstance(data, bytes) else msgspec.json.encode(data)
    return pb.ProcessingRequest(request_body=pb.HttpBody(body=body, end_of_stream=end))


def request_trailers() -> pb.ProcessingRequest:
    return pb.ProcessingRequest(request_trailers=pb.HttpTrailers())


def response_headers(
    status: int = 200,
    content_type: str = "application/json",
    *,
    end: bool = False,
    mode: BodyMode | None = None,
) -> pb.ProcessingRequest:
    message = pb.ProcessingRequest(
        response_headers=pb.HttpHeaders(
            headers=header_map([(":status", str(status)), ("content-type", content_type)]),
            end_of_stream=end,
        )
    )
    return message if mode is None else first(message, mode)


def response_body(data: bytes | Mapping[str, Any], *, end: bool = False) -> pb.ProcessingRequest:
    body = data if isinstance(data, bytes) else msgspec.json.encode(data)
    return pb.ProcessingRequest(response_body=pb.HttpBody(body=body, end_of_stream=end))


def response_trailers() -> pb.ProcessingRequest:
    return pb.ProcessingRequest(response_trailers=pb.HttpTrailers())


# --- what came back ---------------------------------------------------------------------------


def kinds(replies: Iterable[pb.ProcessingResponse]) -> list[str]:
    """Return what each reply is, `*` where it ends its body."""
    names = []
    for reply in replies:
        kind = reply.WhichOneof("response") or "nothing"
        part = streamed(reply)
        names.append(kind + "*" * (part is not None and part.end_of_stream))
    return names


def streamed(reply: pb.ProcessingResponse) -> pb.StreamedBodyResponse | None:
    kind = reply.WhichOneof("response")
    if kind not in {"request_body", "response_body"}:
        return None
    mutation = getattr(reply, kind).response.body_mutation
    return mutation.streamed_response if mutation.HasField("streamed_response") else None


def body(replies: Iterable[pb.ProcessingResponse]) -> bytes:
    """Return the streamed parts joined."""
    return b"".join(part.body for reply in replies if (part := streamed(reply)))


def mutation(reply: pb.ProcessingResponse) -> pb.HeaderMutation:
    kind = reply.WhichOneof("response") or ""
    found: pb.HeaderMutation = getattr(reply, kind).response.header_mutation
    return found


def set_headers(reply: pb.ProcessingResponse) -> dict[str, str]:
    """Return the headers that `reply` sets, as Envoy reads them: from `raw_value` alone."""
    return {o.header.key: o.header.raw_value.decode() for o in mutation(reply).set_headers}


def destination(reply: pb.ProcessingResponse) -> str | None:
    """Return where `reply` sends the request; header and metadata must agree."""
    header = set_headers(reply).get(DESTINATION)
    metadata = reply.dynamic_metadata.fields["envoy.lb"].struct_value.fields[DESTINATION]
    assert (header or "") == metadata.string_value
    return header


class Refusal:
    """An ImmediateResponse, read as the client will."""

    def __init__(self, replies: list[pb.ProcessingResponse]) -> None:
        assert kinds(replies)[-1] == "immediate_response", kinds(replies)
        immediate = replies[-1].immediate_response
        self.status = int(immediate.status.code)
        self.headers = {
            o.header.key: o.header.raw_value.decode() for o in immediate.headers.set_headers
        }
        self.error: dict[str, Any] = msgspec.json.decode(immediate.body)["error"]
        assert set(self.error) == {"message", "type", "code", "param"}
        assert self.headers["content-type"] == "application/json"

    @property
    def reason(self) -> str:
        return self.headers["x-llm-d-request-dropped-reason"]
