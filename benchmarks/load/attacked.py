"""What honest peers of a picker feel while another one attacks it.

    python -m benchmarks.load.attacked [--seconds 5] [--rounds 3] [--attacks ping,...] [--json FILE]

The native transport, without TLS. An honest client asks on a connection of its own, one request
after the other; first alone, then beside each attack. Says how long its requests took, compared
with the calm before in the same round, and how the picker's memory grew.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import tempfile
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from benchmarks.conditions import conditions, spread
from benchmarks.load import child, picker, wire
from benchmarks.load.attack import ATTACKS
from benchmarks.load.contender import endpoints_file
from benchmarks.load.picker import Picker
from benchmarks.load.usage import usage
from epp.demo.ports import free_port
from epp.http2 import frames
from epp.http2.frames import FrameType

MOST_GROWTH_MIB = 20.0
MOST_RATIO = 2.0
REPLICAS = 4
WARM_UP_S = 1.0
CANCEL = 8
_RETURNED_AT = 1 << 20


class Felt(msgspec.Struct):
    """What was felt of one attack, in each round."""

    name: str
    p50_ms: list[float] = []
    p99_ms: list[float] = []
    ratio: list[float] = []  # of p99 to that of the calm before
    growth_mib: list[float] = []
    connections: list[int] = []  # the attacker's


class Honest:
    """A client that asks, and waits for the choice."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = wire.stream_ids()
        self._unreturned = 0  # bytes of data, which count against the connection's window
        writer.write(wire.HELLO)

    async def ask(self, seconds: float) -> list[float]:
        """Return the milliseconds that each request took."""
        ends_at = time.perf_counter() + seconds
        times_ms = []
        while (began := time.perf_counter()) < ends_at:
            stream_id = next(self._ids)
            self._writer.write(wire.process(stream_id) + wire.request(stream_id))
            await self._until_answered(stream_id)
            times_ms.append((time.perf_counter() - began) * 1000)
            self._writer.write(frames.reset(stream_id, CANCEL))
        return times_ms

    async def _until_answered(self, stream_id: int) -> None:
        while True:
            head = await self._reader.readexactly(frames.HEADER_BYTES)
            size = int.from_bytes(head[:3], "big")
            await self._reader.readexactly(size)
            if head[3] == FrameType.DATA:
                self._return(size)
                if int.from_bytes(head[5:], "big") == stream_id:
                    return

    def _return(self, size: int) -> None:
        """Give back the room of what was read, or the picker would have to be silent at last."""
        self._unreturned += size
        if self._unreturned >= _RETURNED_AT:
            self._writer.write(frames.window_update(0, self._unreturned))
            self._unreturned = 0


async def attacked(names: Sequence[str], seconds: float, rounds: int) -> list[Felt]:
    """Run all rounds."""
    felt = {name: Felt(name) for name in names}
    with tempfile.TemporaryDirectory() as folder:
        replicas = [free_port() for _ in range(REPLICAS)]
        endpoints = Path(folder) / "endpoints.yaml"
        endpoints.write_bytes(endpoints_file(replicas))
        own = ("--transport=native", "--insecure", f"--endpoints-file={endpoints}")
        async with (
            child.running("benchmarks.load.upstream", *map(str, replicas), ready=b"ready"),
            picker.running(*own) as found,
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", found.grpc_port)
            honest = Honest(reader, writer)
            await honest.ask(WARM_UP_S)
            for _, name in itertools.product(range(rounds), names):
                await _feel(felt[name], honest, found, seconds)
            writer.close()
    return list(felt.values())


async def _feel(felt: Felt, honest: Honest, found: Picker, seconds: float) -> None:
    calm = _p99(await honest.ask(seconds))
    before = usage(found.pid).rss_mib
    arguments = (str(found.grpc_port), felt.name, str(seconds))
    async with child.running("benchmarks.load.attack", *arguments, ready=b"ready") as attacker:
        times_ms = await honest.ask(seconds)
        growth = usage(found.pid).rss_mib - before
        assert attacker.stdout is not None
        felt.connections.append(int(await attacker.stdout.readline()))
    felt.p50_ms.append(statistics.median(times_ms))
    felt.p99_ms.append(_p99(times_ms))
    felt.ratio.append(_p99(times_ms) / calm)
    felt.growth_mib.append(growth)


def _p99(times_ms: Sequence[float]) -> float:
    return statistics.quantiles(times_ms, n=100, method="inclusive")[98]


def table(felt: Sequence[Felt]) -> str:
    """Return the figures as Markdown."""
    lines = [
        "| attack | connections | p50, ms | p99, ms | p99 to the calm before | memory, MiB |",
        "|---|---|---|---|---|---|",
    ]
    for one in felt:
        connections = statistics.median(one.connections)
        figures = [one.p50_ms, one.p99_ms, one.ratio, one.growth_mib]
        cells = " | ".join(spread(values, 2) for values in figures)
        lines.append(f"| {one.name} | {connections:.0f} | {cells} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    known = [attack.name for attack in ATTACKS]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="of each attack")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--attacks", default=",".join(known), help="all, if not given")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every figure")
    options = parser.parse_args(arguments)
    names = options.attacks.split(",")
    if unknown := [name for name in names if name not in known]:
        parser.error(f"no attack {', '.join(unknown)}; there are {', '.join(known)}")
    felt = uvloop.run(attacked(names, options.seconds, options.rounds))
    where: dict[str, Any] = conditions("benchmarks.load.attacked", "uvloop")
    where["rounds"] = f"{options.rounds} of {options.seconds:g} s; median (lowest-highest)"
    where["goals"] = f"p99 at most {MOST_RATIO:g} times, memory at most {MOST_GROWTH_MIB:g} MiB"
    for key, value in where.items():
        print(f"{key}: {value}")
    print("\n" + table(felt))
    if options.json:
        figures = {**where, "attacks": msgspec.to_builtins(felt)}
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
