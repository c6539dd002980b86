"""Plays a trace in real time against an OpenAI API, and tells how long its answers took.

    python -m benchmarks.load.player --port 8080 --trace FILE --qps 3.8 --seconds 300

A process of its own, so that its cost is nobody else's. Open loop: a request is sent when the trace
says, however many are still unanswered. The result is one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import uvloop

from benchmarks.load.client import Client, completion
from benchmarks.load.offer import Offer
from benchmarks.load.outcome import Played
from benchmarks.routing.prompts import Prompts
from benchmarks.routing.trace import Request

PATIENCE_S = 120.0  # after the last request was sent


async def play(requests: Sequence[Request], port: int) -> Played:
    """Send each request at its time; returns when the answers are in, or are not coming."""
    prompts = Prompts()
    began, used_s = time.perf_counter(), time.process_time()
    clients: list[Client] = []
    for request in requests:
        await asyncio.sleep(began + request.at - time.perf_counter())
        client = Client(completion(prompts.text(request), request.output_tokens))
        clients.append(client)
        await client.connect(port)
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            for client in clients:
                await client.done.wait()
    return Played([client.seen for client in clients], time.process_time() - used_s)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--port", type=int, required=True)
    Offer.add_arguments(parser, Offer(Path()))
    options = parser.parse_args()
    requests = Offer.chosen(options).requests()
    gc.freeze()
    print(msgspec.json.encode(uvloop.run(play(requests, options.port))).decode(), flush=True)


if __name__ == "__main__":
    main()
