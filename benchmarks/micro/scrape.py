"""What it costs to keep the load of many replicas fresh.

    python -m benchmarks.micro.scrape --replicas 8,100,300 [--forced] [--seconds 10] [--rounds 3]

Replicas in another process serve the page of a real vLLM; the picker's poller asks them. Without
`--forced` they are idle and asked as seldom as idle ones are; with it, all count as in use.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import time

import msgspec
import uvloop

from benchmarks.conditions import ROOT, conditions, spread
from benchmarks.micro.replicas import Replicas, serve
from epp.pool.endpoint import Endpoint
from epp.pool.store import Store
from epp.scrape.pace import Pace
from epp.scrape.poller import Poller

_PAGE = ROOT / "tests/data/vllm-0.32.0/metrics-busy.txt"
_WARM_UP_S = 2.0


class Round(msgspec.Struct, frozen=True):
    """One measurement; rates are scrapes a second of one replica."""

    picker_cores: float
    replicas_cores: float
    mean_rate: float
    slowest_rate: float
    us_per_scrape: float
    errors: int


class Row(msgspec.Struct, frozen=True):
    """All rounds of one number of replicas."""

    replicas: int
    forced: bool
    goal_rate: float
    rounds: list[Round]


async def _measure(replicas: Replicas, pace: Pace, seconds: float) -> Round:
    store = Store()
    poller = Poller(
        store,
        rng=random.Random(1),
        pace=pace,
    )
    addresses = [f"127.0.0.1:{port}" for port in replicas.ports]
    pool = [Endpoint(address, metrics_url=f"http://{address}/metrics") for address in addresses]
    async with asyncio.TaskGroup() as group:
        polling = group.create_task(poller.run())
        poller.follow(store.replace(pool))
        await asyncio.sleep(_WARM_UP_S)
        before, their_cpu = replicas.asked()
        scrapes, began, cpu = poller.scrapes, time.monotonic(), time.process_time()
        await asyncio.sleep(seconds)
        cpu, took = time.process_time() - cpu, time.monotonic() - began
        scrapes = poller.scrapes - scrapes
        after, their_cpu_after = replicas.asked()
        polling.cancel()
    rates = [(b - a) / took for a, b in zip(before, after, strict=True)]
    unknown = sum(endpoint.load is None for endpoint in store.snapshot().endpoints)
    return Round(
        cpu / took,
        (their_cpu_after - their_cpu) / took,
        statistics.mean(rates),
        min(rates),
        cpu / max(1, scrapes) * 1e6,
        sum(poller.errors.values()) + unknown,
    )


def _row(count: int, options: argparse.Namespace) -> Row:
    pace = Pace(idle_interval_s=Pace().interval_s) if options.forced else Pace()
    with serve(_PAGE.read_bytes(), count) as replicas:
        rounds = [
            uvloop.run(_measure(replicas, pace, options.seconds)) for _ in range(options.rounds)
        ]
    return Row(count, options.forced, 1 / pace.idle_interval_s, rounds)


def _print(row: Row) -> None:
    rounds = row.rounds
    cells = [
        str(row.replicas),
        "every 50 ms" if row.forced else "idle",
        spread([r.picker_cores for r in rounds], 3),
        spread([r.us_per_scrape for r in rounds], 0),
        spread([r.mean_rate for r in rounds], 2),
        spread([r.slowest_rate for r in rounds], 2),
        f"{row.goal_rate:g}",
        spread([r.replicas_cores for r in rounds], 3),
        str(sum(r.errors for r in rounds)),
    ]
    print(f"| {' | '.join(cells)} |", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--replicas", default="8,100,300", help="numbers of replicas, with commas")
    parser.add_argument("--forced", action="store_true", help="ask all every 50 ms")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print every round as JSON")
    return parser.parse_args()


def main() -> None:
    options = _options()
    counts = [int(count) for count in options.replicas.split(",")]
    where = conditions("benchmarks.micro.scrape", "uvloop")
    if options.json:
        rows = [msgspec.to_builtins(_row(count, options)) for count in counts]
        print(json.dumps({**where, "rows": rows}, indent=1))
        return
    for name, what in where.items():
        print(f"{name}: {what}")
    print(f"{options.rounds} rounds of {options.seconds:g} s: median (lowest-highest)\n")
    print(
        "| replicas | asked | picker, cores | us per scrape | scrapes/s of a replica |"
        " of the slowest | goal | replicas, cores | errors |"
    )
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for count in counts:
        _print(_row(count, options))


if __name__ == "__main__":
    main()
