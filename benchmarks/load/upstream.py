"""Model servers that cost next to nothing: constant answers over keep-alive HTTP/1.1.

    python -m benchmarks.load.upstream PORT [PORT ...]

`/metrics` is a full-size vLLM page, so that a picker's scraping costs what it costs in earnest;
`/asked` says how often each port was asked for it. Anything else is answered with a short JSON
completion, or with as many server-sent events as the header `x-chunks` says, `x-gap-ms` apart.
"""

from __future__ import annotations

import asyncio
import sys
from functools import cache, partial
from typing import cast

import httptools
import msgspec
import uvloop

from benchmarks.conditions import ROOT

_PAGE = (ROOT / "tests/data/vllm-0.32.0/metrics-busy.txt").read_bytes()
_JSON = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":600,'
    b'"completion_tokens":1,"total_tokens":601}}'
)
# As vLLM 0.32.0 writes them: tests/data/openai.
_EVENT = (
    b'data: {"id":"chatcmpl-8200ff9e593d709c","object":"chat.completion.chunk","created":1,'
    b'"model":"m","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,'
    b'"finish_reason":null,"token_ids":null}]}\n\n'
)
_LAST = (
    b'data: {"id":"chatcmpl-8200ff9e593d709c","object":"chat.completion.chunk","created":1,'
    b'"model":"m","choices":[],"usage":{"prompt_tokens":600,"total_tokens":%d,'
    b'"completion_tokens":%d},"system_fingerprint":"vllm-0.32.0"}\n\ndata: [DONE]\n\n'
)
_STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


def _answer(content_type: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n"
    return head % (content_type, len(body)) + body


_METRICS = _answer(b"text/plain; version=0.0.4", _PAGE)
_COMPLETION = _answer(b"application/json", _JSON)


def events(chunks: int) -> list[bytes]:
    """Return an answer as server-sent events, the last with usage."""
    return [_EVENT] * (chunks - 1) + [_LAST % (600 + chunks, chunks)]


@cache
def parts(chunks: int) -> tuple[bytes, ...]:
    """Return the same as pieces of HTTP, the head in the first."""
    pieces = [b"%x\r\n%b\r\n" % (len(event), event) for event in events(chunks)]
    pieces[0] = _STREAM + pieces[0]
    pieces[-1] += b"0\r\n\r\n"
    return tuple(pieces)


@cache
def whole(chunks: int) -> bytes:
    """Return the same in one piece."""
    return b"".join(parts(chunks))


class _Server(asyncio.Protocol):
    def __init__(self, port: int, asked: dict[int, int]) -> None:
        self._port = port
        self._asked = asked
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpRequestParser(self)
        self.on_message_begin()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._path, self._chunks, self._gap_ms = b"", 0, 0

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if name == b"x-chunks":
            self._chunks = int(value)
        elif name == b"x-gap-ms":
            self._gap_ms = int(value)

    def on_message_complete(self) -> None:
        if self._path == b"/metrics":
            self._asked[self._port] += 1
            self._transport.write(_METRICS)
        elif self._path == b"/asked":
            self._transport.write(_answer(b"application/json", msgspec.json.encode(self._asked)))
        elif not self._chunks:
            self._transport.write(_COMPLETION)
        elif not self._gap_ms:
            self._transport.write(whole(self._chunks))
        else:
            self._tick(parts(self._chunks), 0, self._loop.time(), self._gap_ms / 1000)

    def _tick(self, pieces: tuple[bytes, ...], n: int, began: float, gap_s: float) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(pieces[n])
        if n + 1 < len(pieces):
            due = began + (n + 1) * gap_s
            self._loop.call_at(due, self._tick, pieces, n + 1, began, gap_s)


async def serve(ports: list[int]) -> None:
    """Serve on every port until cancelled."""
    loop = asyncio.get_running_loop()
    asked = dict.fromkeys(ports, 0)
    for port in ports:
        await loop.create_server(partial(_Server, port, asked), "127.0.0.1", port)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve([int(port) for port in sys.argv[1:]]))
