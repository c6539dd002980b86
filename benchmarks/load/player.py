"""Plays a trace in real time against an OpenAI API, and tells how long its answers took.

    python -m benchmarks.load.player --port 8080 --trace FILE --qps 3.8 --seconds 300

A process of its own, so that its cost is nobody else's. Open loop: a request is sent when the trace
says, however many are still unanswered. The result is one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import time
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import cast

import httptools
import msgspec
import uvloop

from benchmarks.routing.prompts import Prompts
from benchmarks.routing.trace import Request, load

MODEL = "meta-llama/Llama-3.1-8B-Instruct"
PATIENCE_S = 120.0  # after the last request was sent


class Seen(msgspec.Struct):
    """What a client saw of one answer; seconds since it asked."""

    first_s: float | None = None
    whole_s: float | None = None
    tokens: int = 0
    status: int = 0

    @property
    def tpot_s(self) -> float:
        """Mean time from one token to the next."""
        if self.first_s is None or self.whole_s is None or self.tokens < 2:
            return 0.0
        return (self.whole_s - self.first_s) / (self.tokens - 1)


class Played(msgspec.Struct, frozen=True):
    """All of them."""

    answers: Sequence[Seen]


class _Client(asyncio.Protocol):
    """One connection for one request."""

    def __init__(self, request: bytes) -> None:
        self.seen = Seen()
        self.done = asyncio.get_running_loop().create_future()
        self._request = request
        self._asked_at = time.perf_counter()
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

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
        if not self.done.done():
            self.done.set_result(None)


def _wire(request: Request, prompts: Prompts) -> bytes:
    body = msgspec.json.encode(
        {
            "model": MODEL,
            "prompt": prompts.text(request),
            "max_tokens": request.output_tokens,
            "stream": True,
        }
    )
    head = (
        "POST /v1/completions HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


async def play(requests: Sequence[Request], port: int) -> Played:
    """Send each request at its time; returns when the answers are in, or are not coming."""
    loop, prompts = asyncio.get_running_loop(), Prompts()
    began = time.perf_counter()
    clients: list[_Client] = []
    for request in requests:
        await asyncio.sleep(began + request.at - time.perf_counter())
        client = _Client(_wire(request, prompts))
        clients.append(client)
        await loop.create_connection(lambda made=client: made, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.wait([client.done for client in clients], timeout=PATIENCE_S)
    return Played([client.seen for client in clients])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--trace", type=Path, required=True)
    parser.add_argument("--part", default="0:1", help="of the trace, such as 0.5:1")
    parser.add_argument("--qps", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begin, _, end = options.part.partition(":")
    trace = load(options.trace).part(float(begin), float(end))
    arrivals = trace.arrivals(options.qps, random.Random(options.seed))
    chosen = list(takewhile(lambda request: request.at < options.seconds, arrivals))
    gc.freeze()
    print(msgspec.json.encode(uvloop.run(play(chosen, options.port))).decode(), flush=True)


if __name__ == "__main__":
    main()
