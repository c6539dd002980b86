"""A conversation as Envoy holds it with a picker: the messages of a request and its answer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import msgspec

from benchmarks.load import upstream
from benchmarks.load.generator import Job, Prompts
from epp._pb.envoy.config.core.v3 import base_pb2 as core
from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.exchange.modes import BodyMode

_READ_BYTES = 32 * 1024  # what Envoy reads of a body at a time, about
_REQUEST = (
    *((":authority", "pool.test"), (":path", "/v1/chat/completions"), (":method", "POST")),
    *((":scheme", "http"), ("user-agent", "bench"), ("content-type", "application/json")),
    *(("accept", "text/event-stream"), ("content-length", "2400")),
    *(("x-forwarded-for", "10.0.0.7"), ("x-forwarded-proto", "http")),
    ("x-envoy-external-address", "10.0.0.7"),
)
_REQUEST_ID = "6024be0a-0000-4000-8000-{:012}"
_ANSWER = ((":status", "200"), ("content-type", "text/event-stream"), ("server", "uvicorn"))


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of conversation."""

    mode: BodyMode = BodyMode.FULL_DUPLEX_STREAMED
    body_bytes: int = 2400
    chunks: int = 20
    together: bool = True  # the chunks of the answer come in one message


class Script:
    """The messages of such conversations by step. Each one has a prompt of its own."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._prompts = Prompts(
            Job(
                port=1,
                body_bytes=talk.body_bytes,
                chunks=talk.chunks,
                gap_ms=0,
                concurrency=1,
                seconds=0,
            )
        )
        self._requests = count()
        self._answer_headers = pb.ProcessingRequest(
            response_headers=pb.HttpHeaders(headers=_header_map(_ANSWER))
        )
        self._answer_body = _answer_body(talk)

    def next(self) -> list[list[pb.ProcessingRequest]]:
        """Return the messages of a conversation: headers, body, answer's headers, its body."""
        body = self._prompts.next().partition(b"\r\n\r\n")[2]
        steps = [
            [_headers(self._talk.mode, _REQUEST_ID.format(next(self._requests)))],
            self._request_body(body),
            [self._answer_headers],
            self._answer_body,
        ]
        return [[*map(_with_metadata, step)] for step in steps]

    def _request_body(self, body: bytes) -> list[pb.ProcessingRequest]:
        if self._talk.mode is BodyMode.BUFFERED:
            return [pb.ProcessingRequest(request_body=pb.HttpBody(body=body, end_of_stream=True))]
        pieces = [body[at : at + _READ_BYTES] for at in range(0, len(body), _READ_BYTES)]
        parts = [pb.HttpBody(body=piece) for piece in pieces]
        end = pb.HttpBody(end_of_stream=True)
        return [pb.ProcessingRequest(request_body=part) for part in (*parts, end)]


def _headers(mode: BodyMode, request_id: str) -> pb.ProcessingRequest:
    headers = _header_map((*_REQUEST, ("x-request-id", request_id)))
    message = pb.ProcessingRequest(request_headers=pb.HttpHeaders(headers=headers))
    message.protocol_config.request_body_mode = mode.value  # type: ignore[assignment]
    message.protocol_config.response_body_mode = mode.value  # type: ignore[assignment]
    return message


def _header_map(headers: Sequence[tuple[str, str]]) -> core.HeaderMap:
    return core.HeaderMap(
        headers=[core.HeaderValue(key=key, raw_value=value.encode()) for key, value in headers]
    )


def _answer_body(talk: Talk) -> list[pb.ProcessingRequest]:
    """Return the answer; its end is a message of its own."""
    texts = upstream.events(talk.chunks)
    texts = [b"".join(texts)] if talk.together else texts
    messages = [pb.ProcessingRequest(response_body=pb.HttpBody(body=text)) for text in texts]
    return [*messages, pb.ProcessingRequest(response_body=pb.HttpBody(end_of_stream=True))]


def _with_metadata(message: pb.ProcessingRequest) -> pb.ProcessingRequest:
    """Say that there is none, as Envoy does in every message."""
    message.metadata_context.SetInParent()
    return message
