"""A conversation as Envoy holds it with a picker: the messages of a request and its answer."""

from __future__ import annotations

from collections.abc import Sequence

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
    *(("accept", "text/event-stream"), ("x-forwarded-for", "10.0.0.7")),
    *(("x-forwarded-proto", "http"), ("x-request-id", "6024be0a-0000-4000-8000-000000000000")),
)
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
        self._headers = _headers(talk.mode)
        self._answer_headers = pb.ProcessingRequest(
            response_headers=pb.HttpHeaders(headers=_header_map(_ANSWER))
        )
        self._answer_body = _answer_body(talk)

    def next(self) -> list[list[pb.ProcessingRequest]]:
        """Return the messages of a conversation: headers, body, answer's headers, its body."""
        body = self._prompts.next().partition(b"\r\n\r\n")[2]
        return [
            [self._headers],
            self._request_body(body),
            [self._answer_headers],
            self._answer_body,
        ]

    def _request_body(self, body: bytes) -> list[pb.ProcessingRequest]:
        buffered = self._talk.mode is BodyMode.BUFFERED
        size = len(body) if buffered else _READ_BYTES
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        return [
            pb.ProcessingRequest(
                request_body=pb.HttpBody(body=piece, end_of_stream=n + 1 == len(pieces))
            )
            for n, piece in enumerate(pieces)
        ]


def _headers(mode: BodyMode) -> pb.ProcessingRequest:
    message = pb.ProcessingRequest(request_headers=pb.HttpHeaders(headers=_header_map(_REQUEST)))
    message.protocol_config.request_body_mode = mode.value  # type: ignore[assignment]
    message.protocol_config.response_body_mode = mode.value  # type: ignore[assignment]
    message.metadata_context.SetInParent()
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
