"""A model server that costs next to nothing: constant answers over keep-alive HTTP/1.1.

    python -m benchmarks.load.upstream PORT [PORT ...]

Serves a full-size vLLM metrics page, so that the picker's scraping costs what it costs in earnest.
"""

from __future__ import annotations

import asyncio
import sys

import httptools
import uvloop

from benchmarks.conditions import ROOT

_PAGE = (ROOT / "tests/data/vllm-0.32.0/metrics-busy.txt").read_bytes()
_JSON = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":600,'
    b'"completion_tokens":1,"total_tokens":601}}'
)


def _answer(content_type: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n"
    return head % (content_type, len(body)) + body


_METRICS = _answer(b"text/plain; version=0.0.4", _PAGE)
_COMPLETION = _answer(b"application/json", _JSON)


class _Server(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)
        self._path = b""

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._path = b""

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_message_complete(self) -> None:
        answer = _METRICS if self._path == b"/metrics" else _COMPLETION
        self._transport.write(answer)  # type: ignore[attr-defined]  # it is a TCP transport


async def serve(ports: list[int]) -> None:
    """Serve on every port until cancelled."""
    loop = asyncio.get_running_loop()
    for port in ports:
        await loop.create_server(_Server, "127.0.0.1", port)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve([int(port) for port in sys.argv[1:]]))
