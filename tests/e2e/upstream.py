"""A model server that does as the request says, and remembers what it was sent.

Written on its own, so that a mistake in the project's simulation cannot hide one in the picker.
A request steers its answer by headers: `x-answer-status`, `x-answer-bytes` (length of a JSON
answer), `x-answer-events` and `x-answer-gap-ms` (of a stream), `x-answer-piece-bytes` (how it is
cut), `x-answer-stall-after` (how many of its events come; then nothing until the client leaves),
`x-answer-as` (an answer of the table `SAID`, by its name).
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httptools

from tests.openai.said import SAID

METRICS = """\
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{model_name="m"} 0
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{model_name="m"} 0
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{model_name="m"} 0.1
# TYPE vllm:cache_config_info gauge
vllm:cache_config_info{block_size="16",num_gpu_blocks="1000"} 1
"""
CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ntransfer-encoding: chunked\r\n\r\n"
STREAM_HEAD = CHUNKED % b"text/event-stream"
ANSWERS = {said.name: said for said in SAID}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


@dataclass
class Received:
    """One request, and when each part of its answer left."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    complete: bool = False
    sent_at: list[float] = field(default_factory=list)

    @property
    def said(self) -> bytes:
        """The body, whatever was done to it on the way."""
        expand = gzip.decompress if self.headers.get("content-encoding") == "gzip" else bytes
        return expand(self.body)

    def steered(self, name: str, default: int) -> int:
        return int(self.headers.get(f"x-answer-{name}", default))


class Upstream:
    def __init__(self) -> None:
        self.host = ""
        self.port = 0
        self.requests: list[Received] = []

    @property
    def address(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            async for request in _requests(reader):
                if request.headers.get("user-agent") != "epp":  # else it is the picker's question
                    self.requests.append(request)
                stall_after = request.steered("stall-after", -1) + 1  # the head comes first
                async for part in _answer(request):
                    request.sent_at.append(time.monotonic())
                    writer.write(part)
                    await writer.drain()
                    if len(request.sent_at) == stall_after:
                        await reader.read()
        writer.close()


@asynccontextmanager
async def listening(host: str = "127.0.0.1") -> AsyncIterator[Upstream]:
    upstream = Upstream()
    server = await asyncio.start_server(upstream.serve, host, 0)
    upstream.host, upstream.port = server.sockets[0].getsockname()[:2]
    try:
        yield upstream
    finally:
        server.close()


class _Assembly:
    """Callbacks of the HTTP parser."""

    def __init__(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.request = Received("", "")

    def on_message_begin(self) -> None:
        self.request = Received("", "")

    def on_url(self, url: bytes) -> None:
        self.request.path += url.decode()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.request.headers[name.decode().lower()] = value.decode()

    def on_body(self, data: bytes) -> None:
        self.request.body += data

    def on_message_complete(self) -> None:
        self.request.method = self.parser.get_method().decode()
        self.request.complete = True


async def _requests(reader: asyncio.StreamReader) -> AsyncIterator[Received]:
    assembly = _Assembly()
    while data := await reader.read(1 << 20):
        assembly.parser.feed_data(data)
        if assembly.request.complete:
            yield assembly.request


async def _answer(request: Received) -> AsyncIterator[bytes]:
    status = request.steered("status", 200)
    if request.path == "/metrics":
        yield _plain(200, "text/plain", METRICS.encode())
    elif status != 200:
        error = {"error": {"message": "as asked", "type": "server_error", "code": status}}
        yield _plain(status, "application/json", json.dumps(error).encode())
    elif said := ANSWERS.get(request.headers.get("x-answer-as", "")):
        yield CHUNKED % said.content_type.encode()
        for part in _cut(iter([said.body]), request):
            yield b"%x\r\n%b\r\n" % (len(part), part)
        yield b"0\r\n\r\n"
    elif request.path == "/v1/models":
        models = {"object": "list", "data": [{"id": "m", "object": "model", "created": 0}]}
        yield _plain(200, "application/json", json.dumps(models).encode())
    elif b'"stream": true' in request.said or b'"stream":true' in request.said:
        yield STREAM_HEAD
        asked = b"include_usage" in request.said
        for part in _cut(_events(request.steered("events", 3), asked), request):
            yield b"%x\r\n%b\r\n" % (len(part), part)
            await asyncio.sleep(request.steered("gap-ms", 0) / 1000)
        yield b"0\r\n\r\n"
    else:
        yield _plain(200, "application/json", _completion(request.steered("bytes", 0)))


def _plain(status: int, content_type: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def _completion(length: int) -> bytes:
    answer = {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "hello"},
            }
        ],
        "usage": USAGE,
    }
    return json.dumps(answer).encode().ljust(length)


def _cut(events: Iterator[bytes], request: Received) -> Iterator[bytes]:
    size = request.steered("piece-bytes", 0)
    if not size:
        yield from events
        return
    stream = b"".join(events)
    yield from (stream[at : at + size] for at in range(0, len(stream), size))


def _events(count: int, usage_asked: bool) -> Iterator[bytes]:
    for number in range(count):
        last = number == count - 1
        event = {
            "id": "c",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": "m",
            "choices": [
                {
                    "index": 0,
                    "delta": {"content": f"{number} "},
                    "finish_reason": "stop" if last else None,
                }
            ],
            "usage": USAGE if last and not usage_asked else None,
        }
        yield b"data: " + json.dumps(event).encode() + b"\n\n"
    if usage_asked:
        usage = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"}
        usage |= {"choices": [], "usage": USAGE}
        yield b"data: " + json.dumps(usage).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"
