"""What one choice costs: parse the request, hash its prompt, score every pod, pick one.

    python -m benchmarks.micro.decide [--presets classic,marginal-cost] [--pods 8,64,512]
                                      [--prompts 1,48,400] [--rounds 7] [--json]

Everything between the last byte of a request's body and its destination, with the metrics of every
pod known and twice as many requests in flight as there are pods. No transport: no protobuf, no
gRPC. "pick" is the scheduler alone, from the query to the decision (hash, match, score, decide);
"reserve" enters it into the books and into the index of the pod. "new" are prompts that share a
fifth with each other and whose rest was never seen, "again" prompts that were seen before, as most
of each later turn of a conversation is. "end" is what the first token and the end of a request cost
later. First tokens come when they are expected, so that the books stay right and every pick of
`marginal-cost` goes by the full cost (basis `approximate`). By the benchmark's clock there are 1000
picks a second, and the metrics of every pod are read anew each 50 ms, as is the default: what a
pick has to do with the new ones is part of it. Each round visits all rows once, so
that a noisy moment hits all of them. CPU time, not wall time; a pick and a reservation have one
reading of that clock in them, of about half a microsecond.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from benchmarks.conditions import conditions, spread
from epp.config.build import Built, build
from epp.config.load import load_preset
from epp.config.presets import PRESETS
from epp.exchange.actions import Route
from epp.exchange.events import Routed
from epp.openai import request as openai
from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.pool.store import Store
from epp.routing.router import Router, RouterSettings
from epp.scheduling.decision import Decision, Outcome
from epp.scheduling.query import Query
from epp.scheduling.scheduler import Choice, Reservation

_HEADERS = {":path": "/v1/chat/completions", ":method": "POST", "x-request-id": "1"}
_MODEL = "meta-llama/Llama-3.1-8B-Instruct"
_WORDS = "the quick brown fox jumps over a lazy dog and runs along the river ".split()
_NOW = 100.0
_GROWN_UP_S = 15.0
_ENDED = Outcome(200, completed=True)
_BETWEEN_PICKS_S = 1e-3
_BETWEEN_READINGS_S = 0.05
_FRESH = 40  # prompts of which only the beginning was seen before, for each row and round

T = TypeVar("T")


class Steps(msgspec.Struct):
    """A choice in two parts; microseconds of CPU for one request."""

    pick_us: list[float] = []
    reserve_us: list[float] = []


class Row(msgspec.Struct):
    """One configuration and size of pool and prompt; microseconds of CPU for one request."""

    preset: str
    pods: int
    prompt_kib: int
    parse_us: list[float] = []
    new: Steps = msgspec.field(default_factory=Steps)
    again: Steps = msgspec.field(default_factory=Steps)
    end_us: list[float] = []
    route_us: list[float] = []


class Held(msgspec.Struct):
    """A request in flight, and when its first token is expected."""

    reservation: Reservation
    first_token_at: float


class Picker:
    """A pool whose pods differ in load, and what chooses among them.

    The first requests are as old as requests get: a picker that has just begun goes by the metrics
    of the pods alone. First tokens come when they are expected, and metrics are read again and
    again: else the books count as wrong, and a choice goes by less than it does in service.
    """

    def __init__(self, preset: str, pods: int, prompts: Sequence[str]) -> None:
        self.store = Store()
        self.store.replace(
            Endpoint(f"10.0.{n // 250}.{n % 250 + 1}:8000", labels={"app": "vllm"})
            for n in range(pods)
        )
        self.now = _NOW - _GROWN_UP_S
        self.report()
        self.built: Built = build(load_preset(preset), seed=1)
        self.rng = random.Random(1)
        self.prompts = prompts
        self.open = [self.reserve(self.pick(prompts[n % len(prompts)])) for n in range(2 * pods)]
        self.now = _NOW
        self.report()

    def router(self) -> Router:
        """Return a router of its own books."""
        settings = RouterSettings(parsers=self.built.parsers)
        return Router(self.store, self.built.scheduler, self.rng, settings)

    def pass_time(self) -> None:
        """Let the time until the next pick pass."""
        self.now += _BETWEEN_PICKS_S
        if self.now >= self.read_at + _BETWEEN_READINGS_S:
            self.report()

    def pick(self, prompt: str) -> Choice:
        query = Query(_MODEL, prompt, now=self.now, max_tokens=256, stream=True)
        found = self.built.scheduler.consider(query, self.store.snapshot().endpoints, self.rng)
        assert isinstance(found, Choice)
        return found

    def report(self) -> None:
        """Read the metrics of all pods."""
        self.read_at = self.now
        for n, endpoint in enumerate(self.store.snapshot().endpoints):
            self.store.report(endpoint, _load(n, self.now))

    def reserve(self, choice: Choice) -> Reservation:
        found = self.built.scheduler.reserve(choice)
        found.settle()
        return found

    def end(self, held: Held) -> None:
        held.reservation.first_token(held.first_token_at)
        held.reservation.release(_ENDED, held.first_token_at)


def _load(n: int, now: float) -> Load:
    return Load(
        now,
        waiting=n % 4,
        running=n % 9,
        kv_cache_usage=n % 17 / 20,
        blocks=26_000,
        block_size=16,
    )


def prompts(kib: int, count: int, rng: random.Random, shared: str = "") -> list[str]:
    """Return texts of which each shares a fifth with the others."""
    size = kib * 1024
    shared = shared or _text(size // 5, rng)
    return [shared + _text(size - size // 5, rng) for _ in range(count)]


def body(prompt: str) -> bytes:
    """Return a chat request."""
    asked = {
        "model": _MODEL,
        "messages": [{"role": "user", "content": prompt}],
        "stream": True,
        "max_tokens": 256,
    }
    return msgspec.json.encode(asked)


def _text(size: int, rng: random.Random) -> str:
    # Long texts of few lots: what is never seen again need not be seen nowhere else.
    lot = rng.randbytes(8).hex()
    return (lot + " ".join(rng.choices(_WORDS, k=min(size // 4, 4096))) + " ") * (size // 64 + 1)


def _cut(texts: Sequence[str], kib: int) -> list[str]:
    return [text[: kib * 1024] for text in texts]


def _cpu_us(call: Callable[[T], object], given: Sequence[T]) -> float:
    began = time.process_time()
    for one in given:
        call(one)
    return (time.process_time() - began) / len(given) * 1e6


def measure(presets: Sequence[str], pods: list[int], kibs: list[int], rounds: int) -> list[Row]:
    """Return a row for each preset and pair of pool and prompt size."""
    rng = random.Random(7)
    shared = {kib: _text(kib * 1024 // 5, rng)[: kib * 1024 // 5] for kib in kibs}
    known = {kib: _cut(prompts(kib, 8, rng, shared[kib]), kib) for kib in kibs}
    rows = [Row(p, n, kib) for p in presets for n in pods for kib in kibs]
    pickers = [Picker(row.preset, row.pods, known[row.prompt_kib]) for row in rows]
    for _ in range(rounds):
        for row, picker in zip(rows, pickers, strict=True):
            fresh = _cut(
                prompts(row.prompt_kib, _FRESH, rng, shared[row.prompt_kib]), row.prompt_kib
            )
            _measure_one(row, picker, fresh)
    return rows


def _measure_one(row: Row, picker: Picker, fresh: Sequence[str]) -> None:
    repeats = max(24, 1600 // (1 + row.prompt_kib // 8 + row.pods // 16))
    again = [picker.prompts[n % len(picker.prompts)] for n in range(repeats)]
    bodies = [body(prompt) for prompt in picker.prompts]
    asked = [bodies[n % len(bodies)] for n in range(repeats)]
    router = picker.router()

    def parse(body: bytes) -> None:
        assert isinstance(openai.parse("/v1/chat/completions", "", body), openai.Request)

    def route(body: bytes) -> None:
        placement = router.route(Route(_HEADERS, body), None, picker.now)
        assert isinstance(placement.answer, Routed)
        placement.end(_ENDED, picker.now)

    row.parse_us.append(_cpu_us(parse, asked))
    held = [*_measure_steps(row.new, picker, fresh), *_measure_steps(row.again, picker, again)]
    held.sort(key=lambda one: one.first_token_at)
    row.end_us.append(_cpu_us(picker.end, held))
    row.route_us.append(_cpu_us(route, asked))
    picker.now = max(picker.now, held[-1].first_token_at)
    picker.report()


def basis_of(decision: Decision) -> str:
    """Return what the choice went by; empty of scorers that always go by the same."""
    return next((c.details.basis for c in decision.columns if c.details), "")


def _ttft_s(choice: Choice) -> float:
    decision = choice.decision
    found = (c.details for c in decision.columns if c.details)
    place = decision.candidates.index(decision.winner)
    terms = next((details.terms(place) for details in found), {})
    # So many are held at once that memory would be short; none of them waits for it here.
    return terms.get("ttft_s", 0.1) - terms.get("memory_wait_s", 0.0)


def _measure_steps(steps: Steps, picker: Picker, prompts: Sequence[str]) -> list[Held]:
    held, picks_ns, reserves_ns, clock = [], 0, 0, time.process_time_ns
    for prompt in prompts:
        picker.pass_time()
        began = clock()
        choice = picker.pick(prompt)
        picked = clock()
        reservation = picker.reserve(choice)
        reserves_ns += clock() - picked
        held.append(Held(reservation, choice.query.now + _ttft_s(choice)))
        picks_ns += picked - began
        assert basis_of(choice.decision) in ("", "approximate")
    steps.pick_us.append(picks_ns / len(prompts) / 1000)
    steps.reserve_us.append(reserves_ns / len(prompts) / 1000)
    return held


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--presets", default=",".join(PRESETS))
    parser.add_argument("--pods", default="8,64,512")
    parser.add_argument("--prompts", default="1,48,400", help="KiB")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = measure(
        options.presets.split(","),
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
    print("| preset | pods | prompt | pick, new | pick, again | ", end="")
    print("reserve, new | reserve, again | end | parse | whole choice |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        picks = (row.new.pick_us, row.again.pick_us, row.new.reserve_us, row.again.reserve_us)
        cells = " | ".join(spread(f) for f in (*picks, row.end_us, row.parse_us, row.route_us))
        print(f"| {row.preset} | {row.pods} | {row.prompt_kib} KiB | {cells} |")


if __name__ == "__main__":
    main()
