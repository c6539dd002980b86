"""What one choice costs: parse the request, hash its prompt, score every pod, pick one.

    python -m benchmarks.micro.decide [--pods 8,64,512] [--prompts 1,32,400] [--rounds 7] [--json]

Everything between the last byte of a request's body and its destination, with the default
configuration and metrics of every pod known. No transport: no protobuf, no gRPC. Each round visits
all rows once, so that a noisy moment hits all of them. CPU time, not wall time.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable

import msgspec

from benchmarks.conditions import conditions, spread
from epp.config.build import build
from epp.config.load import default
from epp.exchange.actions import Route
from epp.exchange.events import Routed
from epp.openai import request as openai
from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.pool.store import Store
from epp.routing.router import Router, RouterSettings
from epp.scheduling.decision import Outcome

_HEADERS = {":path": "/v1/chat/completions", ":method": "POST", "x-request-id": "1"}
_WORDS = "the quick brown fox jumps over a lazy dog and runs along the river ".split()
_NOW = 100.0


class Row(msgspec.Struct):
    """One size of pool and prompt; times in microseconds of CPU for one request."""

    pods: int
    prompt_kib: int
    parse_us: list[float] = []
    route_us: list[float] = []


def router(pods: int) -> Router:
    """Return a router for a pool whose pods differ in load."""
    store = Store()
    store.replace(
        Endpoint(f"10.0.{n // 250}.{n % 250 + 1}:8000", labels={"app": "vllm"}) for n in range(pods)
    )
    for n, endpoint in enumerate(store.snapshot().endpoints):
        store.report(
            endpoint,
            Load(
                _NOW,
                waiting=n % 4,
                running=n % 9,
                kv_cache_usage=n % 17 / 20,
                blocks=26_000,
                block_size=16,
            ),
        )
    built = build(default(), seed=1)
    return Router(store, built.scheduler, random.Random(1), RouterSettings(parsers=built.parsers))


def bodies(kib: int, count: int, rng: random.Random) -> list[bytes]:
    """Return chat requests of which each shares a fifth of its prompt with the others."""
    size = kib * 1024
    shared = _text(size // 5, rng)
    return [
        msgspec.json.encode(
            {
                "model": "meta-llama/Llama-3.1-8B-Instruct",
                "messages": [
                    {"role": "system", "content": shared},
                    {"role": "user", "content": _text(size - size // 5, rng)},
                ],
                "stream": True,
                "max_tokens": 256,
            }
        )
        for _ in range(count)
    ]


def _text(size: int, rng: random.Random) -> str:
    text = " ".join(rng.choices(_WORDS, k=size // 4))
    return text[:size]


def _cpu_us(call: Callable[[bytes], None], requests: list[bytes], repeats: int) -> float:
    began = time.process_time()
    for n in range(repeats):
        call(requests[n % len(requests)])
    return (time.process_time() - began) / repeats * 1e6


def measure(pods: list[int], prompts: list[int], rounds: int) -> list[Row]:
    """Return a row for each pair of pool and prompt size."""
    rng = random.Random(7)
    requests = {kib: bodies(kib, 8, rng) for kib in prompts}
    routers = {count: router(count) for count in pods}
    rows = [Row(count, kib) for count in pods for kib in prompts]

    def parse(body: bytes) -> None:
        assert isinstance(openai.parse("/v1/chat/completions", "", body), openai.Request)

    for _ in range(rounds):
        for row in rows:
            chosen = routers[row.pods]

            def route(body: bytes, chosen: Router = chosen) -> None:
                placement = chosen.route(Route(_HEADERS, body), None, _NOW)
                assert isinstance(placement.answer, Routed)
                placement.end(Outcome(200, completed=True), _NOW)

            repeats = max(20, 2000 // (1 + row.prompt_kib // 8 + row.pods // 16))
            row.parse_us.append(_cpu_us(parse, requests[row.prompt_kib], repeats))
            row.route_us.append(_cpu_us(route, requests[row.prompt_kib], repeats))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--pods", default="8,64,512")
    parser.add_argument("--prompts", default="1,32,400", help="KiB")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = measure(
        [int(n) for n in options.pods.split(",")],
        [int(n) for n in options.prompts.split(",")],
        options.rounds,
    )
    where = conditions("benchmarks.micro.decide", "msgspec", "xxhash")
    if options.json:
        print(json.dumps({**where, "rows": msgspec.to_builtins(rows)}, indent=1))
        return
    for key, value in where.items():
        print(f"{key}: {value}")
    print(f"rounds: {options.rounds}; median (lowest-highest), CPU µs for one request\n")
    print("| pods | prompt | parse | whole choice |\n|---|---|---|---|")
    for row in rows:
        cells = (
            f"{row.pods} | {row.prompt_kib} KiB | {spread(row.parse_us)} | {spread(row.route_us)}"
        )
        print(f"| {cells} |")


if __name__ == "__main__":
    main()
