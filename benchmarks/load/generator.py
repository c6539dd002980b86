"""The clients: requests over keep-alive HTTP/1.1, each sent when the one before was answered.

    python -m benchmarks.load.generator

A process of its own, so that its cost is nobody else's. Reads jobs from standard input, one JSON
object a line, and writes what came of each in the same way.
"""

from __future__ import annotations

import asyncio
import gc
import random
import statistics
import sys
import time
from typing import cast

import httptools
import msgspec
import uvloop

_WORDS = "the quick brown fox jumps over a lazy dog and runs along the river ".split()


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to send. Ends after `requests` of them or `seconds`, whichever comes first."""

    port: int
    body_bytes: int
    chunks: int
    gap_ms: int
    concurrency: int
    seconds: float
    requests: int = sys.maxsize
    timeout_s: float = 60.0  # from the end of `seconds`, for the answers that are still open
    first: int = 0  # number of the first request: two jobs that share none have new prompts each


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a job; times of a whole request, from its first byte to the answer's last."""

    answered: int
    failed: int
    seconds: float
    problem: str = ""  # the first
    mean_ms: float = 0.0
    p50_ms: float = 0.0
    p90_ms: float = 0.0
    p99_ms: float = 0.0


class Prompts:
    """Chat requests of one size: half of each prompt is the same for all, half is its own."""

    def __init__(self, job: Job) -> None:
        self._number = job.first
        head = b'{"model":"m","messages":[{"role":"system","content":"'
        middle = b'"},{"role":"user","content":"'
        tail = b'"}],"stream":true,"stream_options":{"include_usage":true},"max_tokens":256}'
        text = job.body_bytes - len(head) - len(middle) - 12 - len(tail)
        common, own = _text(text // 2, 1), _text(text - text // 2, 2)
        fields = (
            "POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\nuser-agent: bench\r\n"
            "content-type: application/json\r\naccept: text/event-stream\r\n"
            f"x-chunks: {job.chunks}\r\nx-gap-ms: {job.gap_ms}\r\n"
            f"content-length: {job.body_bytes}\r\n\r\n"
        )
        self._before = fields.encode() + head + common + middle
        self._after = own + tail

    def next(self) -> bytes:
        """Return a request that has not been sent before."""
        self._number += 1
        return self._before + b"%012d" % self._number + self._after


def _text(size: int, seed: int) -> bytes:
    words = random.Random(seed).choices(_WORDS, k=size)
    return " ".join(words).encode()[:size]


class _Run:
    """One job under way."""

    def __init__(self, job: Job) -> None:
        self._prompts = Prompts(job)
        self._left = job.requests
        self._ends_at = time.perf_counter() + job.seconds
        self.times_ms: list[float] = []
        self.failed = 0
        self.problem = ""

    def next(self) -> bytes | None:
        """Return the next request; None when there is none any more."""
        if self._left <= 0 or time.perf_counter() >= self._ends_at or self.failed >= 100:
            return None
        self._left -= 1
        return self._prompts.next()

    def fail(self, problem: str) -> None:
        self.failed += 1
        self.problem = self.problem or problem


class _Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, run: _Run) -> None:
        self.done = asyncio.get_running_loop().create_future()
        self._run = run
        self._waiting = False
        self._began = 0.0
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._waiting = False
        status = self._parser.get_status_code()
        if status == 200:
            self._run.times_ms.append((time.perf_counter() - self._began) * 1000)
        else:
            self._run.fail(f"status {status}")
        self._ask()

    def give_up(self) -> None:
        """Wait no longer for what has not come."""
        self._lose("no answer")
        self._transport.abort()

    def connection_lost(self, _: Exception | None) -> None:
        self._lose("connection lost")
        if not self.done.done():
            self.done.set_result(None)

    def _lose(self, problem: str) -> None:
        if self._waiting:
            self._waiting = False
            self._run.fail(problem)

    def _ask(self) -> None:
        request = self._run.next()
        if request is None:
            self._transport.close()
            return
        self._waiting = True
        self._began = time.perf_counter()
        self._transport.write(request)


async def perform(job: Job) -> Result:
    """Send a job's requests and wait for their answers; those that do not come have failed."""
    loop = asyncio.get_running_loop()
    run = _Run(job)
    began = time.perf_counter()
    count = min(job.concurrency, job.requests)
    clients: list[_Client] = []
    for _ in range(count):
        client: _Client
        _, client = await loop.create_connection(lambda: _Client(run), "127.0.0.1", job.port)
        clients.append(client)
    await asyncio.wait([client.done for client in clients], timeout=job.seconds + job.timeout_s)
    for client in clients:
        client.give_up()
    await asyncio.wait([client.done for client in clients])
    return _result(run, time.perf_counter() - began)


def _result(run: _Run, seconds: float) -> Result:
    times = run.times_ms
    done = Result(answered=len(times), failed=run.failed, seconds=seconds, problem=run.problem)
    if len(times) < 2:
        return done
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return msgspec.structs.replace(
        done, mean_ms=statistics.fmean(times), p50_ms=cuts[49], p90_ms=cuts[89], p99_ms=cuts[98]
    )


def main() -> None:
    gc.freeze()
    print("ready", flush=True)
    for line in sys.stdin:
        job = msgspec.json.decode(line, type=Job)
        print(msgspec.json.encode(uvloop.run(perform(job))).decode(), flush=True)


if __name__ == "__main__":
    main()
