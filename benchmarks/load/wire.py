"""ext_proc over HTTP/2 as a client of few words writes it."""

from __future__ import annotations

from collections.abc import Iterator
from struct import pack

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.http2 import frames, hpack
from epp.http2.frames import FrameType, frame

PROCESS = "/envoy.service.ext_proc.v3.ExternalProcessor/Process"
CALL = hpack.encode(
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":path", PROCESS.encode()),
    (b":authority", b"picker"),
    (b"te", b"trailers"),
    (b"content-type", b"application/grpc"),
)
BODY = b'{"model":"m","messages":[{"role":"user","content":"' + b"all work " * 200 + b'"}]}'


def hello(*, window: int) -> bytes:
    """Begin a connection whose streams have this window."""
    window_setting = frame(FrameType.SETTINGS, 0, 0, pack(">HL", 4, window))
    return frames.PREFACE + window_setting + frame(FrameType.SETTINGS, frames.ACK, 0)


HELLO = hello(window=2**30) + frames.window_update(0, 2**30)


def stream_ids(first: int = 1, stop: int = 2**31) -> Iterator[int]:
    """Return the numbers that a client's streams have."""
    return iter(range(first, stop, 2))


def process(stream_id: int) -> bytes:
    """Open an ext_proc stream."""
    return frame(FrameType.HEADERS, frames.END_HEADERS, stream_id, CALL)


def request(stream_id: int) -> bytes:
    """Say on it what Envoy says of a small chat request."""
    return frame(FrameType.DATA, 0, stream_id, _MESSAGES)


def _messages() -> bytes:
    headers = pb.ProcessingRequest()
    wanted = {":method": "POST", ":path": "/v1/chat/completions", ":authority": "picker"}
    for key, value in wanted.items():
        headers.request_headers.headers.headers.add(key=key, raw_value=value.encode())
    body = pb.ProcessingRequest()
    body.request_body.body = BODY
    body.request_body.end_of_stream = True
    return framed(headers) + framed(body)


def framed(message: pb.ProcessingRequest) -> bytes:
    """Return a gRPC message as a stream has it."""
    data = message.SerializeToString()
    return pack(">BL", 0, len(data)) + data


_MESSAGES = _messages()
