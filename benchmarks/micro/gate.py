"""What the gate costs, in CPU time, with nobody and with many waiting.

    python -m benchmarks.micro.gate [--waiting 0,500,5000] [--pods 8] [--rounds 7] [--json]

A request's way through the picker's scheduler, without gate and with it: pick, first token, end.
The same of a whole request of 2.4 KB, from the bytes of a connection to the bytes of a connection.
With requests that wait, all endpoints are closed: `arrival` joins those who wait, and leaves again;
`event` is what a first token or an end costs that opens no endpoint; `reconsidered` is the dearest
event, a moment later, in which those who wait are chosen for anew. Rounds visit all rows in turn.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from benchmarks.conditions import conditions, spread
from benchmarks.micro.conversation import picker
from benchmarks.micro.path import Peer, pass_through
from benchmarks.script import Script, Talk
from epp.config.build import Built, build
from epp.config.complete import complete
from epp.config.flow_control import FlowControl, TargetsSpec
from epp.config.load import load_preset
from epp.config.presets import MARGINAL_COST, preset_text
from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.routing.admission.admission import Admission
from epp.routing.admission.closed import Closed
from epp.routing.admission.waiter import Waiter
from epp.scheduling.decision import Outcome
from epp.scheduling.query import Query
from epp.scheduling.scheduler import Reservation

_PROMPT = "x" * 16_000
_REPEATS = 200
_LATER_S = 0.3


class Row(msgspec.Struct):
    """One number of waiting requests; microseconds of CPU for each of the things."""

    waiting: int
    figures: dict[str, list[float]] = {}

    def note(self, name: str, microseconds: float) -> None:
        """Add the figure of a round."""
        self.figures.setdefault(name, []).append(microseconds)


class Bench:
    """A pool, a scheduler, and a gate before it."""

    def __init__(self, pods: int, waiting: int) -> None:
        preset = load_preset(MARGINAL_COST)
        targets = FlowControl(targets=TargetsSpec(ttft="2s", tpot="50ms"), max_requests=10_000)
        gated = complete(msgspec.structs.replace(preset, flow_control=targets))
        self.now = 100.0
        self._numbers = iter(range(10**9))
        load = Load(self.now, 0, 0, 0.0, block_size=16, blocks=26_000)
        self.endpoints = tuple(Endpoint(f"10.0.0.{n}:8000", load=load) for n in range(pods))
        self.plain = build(preset, seed=1)
        built: Built = build(gated, seed=1)
        assert built.gate is not None
        self.rng = random.Random(1)
        self.admission = Admission(built.scheduler, built.gate, self.rng, targets.admission())
        while len(self.admission.room) < waiting:
            self.ask()

    def query(self) -> Query:
        """Return a request that has nothing in common with the others."""
        return Query("m", f"{next(self._numbers):8}{_PROMPT}", now=self.now, stream=True)

    def ask(self) -> object:
        """Let a request come."""
        result = self.admission.admit(self.query(), self.endpoints)
        if isinstance(result, Closed):
            return self.admission.wait(result, lambda: self.endpoints, lambda _: None)
        return result

    def choose(self) -> object:
        """The same without a gate."""
        return self.plain.scheduler.schedule(self.query(), self.endpoints, self.rng)

    def through(self, pick: Callable[[], object], *, gated: bool) -> tuple[float, float, float]:
        """Return what a pick, a first token and an end cost."""
        spent = [0.0, 0.0, 0.0]
        for _ in range(_REPEATS):
            began = time.process_time()
            reservation = pick()
            picked = time.process_time()
            assert isinstance(reservation, Reservation)
            reservation.first_token(self.now)
            if gated:
                self.admission.advance(self.now)
            answered = time.process_time()
            reservation.release(Outcome(200, completed=True), self.now)
            if gated:
                self.admission.advance(self.now)
            ended = time.process_time()
            spent[0] += picked - began
            spent[1] += answered - picked
            spent[2] += ended - answered
        pick_us, first_us, end_us = (each / _REPEATS * 1e6 for each in spent)
        return pick_us, first_us, end_us

    def arrival(self) -> float:
        """Return what it costs to join those who wait, and to leave."""
        began = time.process_time()
        for _ in range(_REPEATS):
            waiter = self.ask()
            assert isinstance(waiter, Waiter)
            self.admission.leave(waiter)
        return (time.process_time() - began) / _REPEATS * 1e6

    def event(self) -> float:
        """Return what an event costs that opens nothing."""
        began = time.process_time()
        for _ in range(_REPEATS):
            self.admission.advance(self.now)
        return (time.process_time() - began) / _REPEATS * 1e6

    def reconsidered(self) -> float:
        """Return what one costs after those who wait were not chosen for in a while."""
        for waiter in self.admission.room.first(10_000):
            waiter.request.considered_at = self.now - _LATER_S
        began = time.process_time()
        self.admission.advance(self.now)
        return (time.process_time() - began) * 1e6


def whole(rounds: int) -> Row:
    """Return what a whole request costs without a gate and with one, and the ratio of the two."""
    row, script = Row(0), Script(Talk())
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(preset_text(MARGINAL_COST) + "flowControl: {targets: {ttft: 2s, tpot: 50ms}}\n")
        file.flush()
        gated = Peer(picker(config_file=Path(file.name)))
    plain = Peer(picker(MARGINAL_COST))
    for number in range(rounds + 1):  # the first warms up
        costs = [pass_through(peer, script, _REPEATS, 16) for peer in (plain, gated)]
        if number:
            row.note("whole request, plain", costs[0])
            row.note("whole request, gated", costs[1])
            row.note("ratio, in hundredths", 100 * costs[1] / costs[0])
    return row


def measure(waiting: list[int], pods: int, rounds: int) -> list[Row]:
    """Return a row for each number of waiting requests."""
    benches = {count: Bench(pods, count) for count in waiting}
    rows = [Row(count) for count in waiting]
    for _ in range(rounds):
        for row in rows:
            _round(row, benches[row.waiting])
    return rows


def _round(row: Row, bench: Bench) -> None:
    if not row.waiting:
        for name, pick, gated in (("plain", bench.choose, False), ("gated", bench.ask, True)):
            costs = bench.through(pick, gated=gated)
            for what, cost in zip(("pick", "first token", "end"), costs, strict=True):
                row.note(f"{name}: {what}", cost)
        return
    row.note("arrival", bench.arrival())
    row.note("event", bench.event())
    row.note("reconsidered", bench.reconsidered())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--waiting", default="0,500,5000", help="numbers, with commas")
    parser.add_argument("--pods", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    counts = [int(count) for count in options.waiting.split(",")]
    rows = [whole(options.rounds), *measure(counts, options.pods, options.rounds)]
    where = conditions("benchmarks.micro.gate", "msgspec", "xxhash")
    if options.json:
        print(json.dumps({**where, "rows": msgspec.to_builtins(rows)}, indent=1))
        return
    for key, value in where.items():
        print(f"{key}: {value}")
    print(f"{options.pods} pods; {options.rounds} rounds; median (lowest-highest), CPU µs\n")
    print("| waiting | what | µs |\n|---|---|---|")
    for row in rows:
        for name, figures in row.figures.items():
            print(f"| {row.waiting} | {name} | {spread(figures)} |")


if __name__ == "__main__":
    main()
