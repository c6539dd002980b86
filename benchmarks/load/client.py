"""A client that costs little: it counts an answer's tokens, and does not read them."""

from __future__ import annotations

import asyncio
import time
from typing import cast

import httptools
import msgspec

from benchmarks.load.outcome import Seen

MODEL = "meta-llama/Llama-3.1-8B-Instruct"


def completion(prompt: str, tokens: int) -> bytes:
    """Return the bytes of a request for so many tokens, streamed."""
    body = msgspec.json.encode(
        {
            "model": MODEL,
            "prompt": prompt,
            "max_tokens": tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    )
    head = (
        "POST /v1/completions HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


class Client(asyncio.Protocol):
    """One connection for one request."""

    def __init__(self, request: bytes) -> None:
        self.seen = Seen()
        self.done = asyncio.Event()
        self._request = request
        self._asked_at = 0.0
        self._parser = httptools.HttpResponseParser(self)

    async def connect(self, port: int) -> None:
        """Ask; `seen` tells of the answer, which is whole, or will not be, when `done` is set."""
        self._asked_at = time.perf_counter()
        await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", port)

    def give_up(self) -> None:
        """Close the connection."""
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)
        self._request = b""

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, data: bytes) -> None:
        if self._parser.get_status_code() == 200:
            if self.seen.first_s is None:
                self.seen.first_s = time.perf_counter() - self._asked_at
            self.seen.tokens += data.count(b'"text"')

    def on_message_complete(self) -> None:
        self.seen.status = self._parser.get_status_code()
        self.seen.whole_s = time.perf_counter() - self._asked_at
        self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        self.done.set()
