"""The clients: requests over keep-alive HTTP/1.1, each sent when the one before was answered, or at
a steady rate.

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
    rate: float = 0.0  # requests a second, of all clients; 0: each as soon as it has its answer
    abort_every: int = 0  # of so many requests one is given up when its answer begins; 0: none


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a job; times of a whole request, from its first byte to the answer's last."""

    answered: int
    failed: int
    seconds: float
    aborted: int = 0  # on purpose
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
        self._abort_every = job.abort_every
        self._between_s = 1.0 / job.rate if job.rate else 0.0
        self.each_s = job.concurrency * self._between_s  # from one request of a client to its next
        self.times_ms: list[float] = []
        self.aborted = 0
        self.failed = 0
        self.problem = ""
        self.clients: set[_Client] = set()

    def next(self) -> bytes | None:
        """Return the next request; None when there is none any more."""
        if self._left <= 0 or time.perf_counter() >= self._ends_at or self.failed >= 100:
            return None
        self._left -= 1
        return self._prompts.next()

    def abort_next(self) -> bool:
        """Whether the request that was just taken is to be given up."""
        return bool(self._abort_every) and self._left % self._abort_every == 0

    async def keep(self, port: int, number: int) -> None:
        """Be one client for all of the job, on a new connection after each that was given up."""
        again, loop = True, asyncio.get_running_loop()
        await asyncio.sleep(number * self._between_s)
        while again:
            client: _Client
            _, client = await loop.create_connection(lambda: _Client(self), "127.0.0.1", port)
            self.clients.add(client)
            again = await client.done
            self.clients.discard(client)
            await asyncio.sleep(client.pause_s())

    def fail(self, problem: str) -> None:
        self.failed += 1
        self.problem = self.problem or problem


class _Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, run: _Run) -> None:
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[bool] = (
            self._loop.create_future()
        )  # whether to go on with a new one
        self._run = run
        self._waiting = False
        self._aborting = False
        self._began = 0.0
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        if self._aborting and self._waiting:
            self._waiting = False
            self._run.aborted += 1
            self._transport.abort()
            return
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._waiting = False
        status = self._parser.get_status_code()
        if status == 200:
            self._run.times_ms.append((time.perf_counter() - self._began) * 1000)
        else:
            self._run.fail(f"status {status}")
        if pause_s := self.pause_s():
            self._loop.call_later(pause_s, self._ask)
        else:
            self._ask()

    def give_up(self) -> None:
        """Wait no longer for what has not come."""
        self._lose("no answer")
        self._transport.abort()

    def connection_lost(self, _: Exception | None) -> None:
        self._lose("connection lost")
        if not self.done.done():
            self.done.set_result(self._aborting)

    def _lose(self, problem: str) -> None:
        if self._waiting:
            self._waiting = False
            self._run.fail(problem)

    def pause_s(self) -> float:
        """Return the time until the next request is due."""
        return max(0.0, self._began + self._run.each_s - time.perf_counter())

    def _ask(self) -> None:
        if self._transport.is_closing():
            return
        request = self._run.next()
        if request is None:
            self._transport.close()
            return
        self._waiting = True
        self._aborting = self._run.abort_next()
        self._began = time.perf_counter()
        self._transport.write(request)


async def perform(job: Job) -> Result:
    """Send a job's requests and wait for their answers; those that do not come have failed."""
    run = _Run(job)
    began = time.perf_counter()
    count = min(job.concurrency, job.requests)
    async with asyncio.TaskGroup() as group:
        keeping = [group.create_task(run.keep(job.port, n)) for n in range(count)]
        await asyncio.wait(keeping, timeout=job.seconds + job.timeout_s)
        for client in list(run.clients):
            client.give_up()
    return _result(run, time.perf_counter() - began)


def _result(run: _Run, seconds: float) -> Result:
    times = run.times_ms
    done = Result(
        answered=len(times),
        failed=run.failed,
        seconds=seconds,
        aborted=run.aborted,
        problem=run.problem,
    )
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
