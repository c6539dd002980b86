"""What a whole conversation costs: every message of a request and its answer, without a transport.

    python -m benchmarks.micro.conversation [--rounds 7] [--conversations 200] [--profile]
        [--preset classic] [--json]

The picker as `epp serve` builds it, everything on that is on by default, eight pods whose metrics
are known; messages as Envoy sends them, from protobuf bytes to protobuf bytes, as the native
transport hands them over. Conversations are held in step, 200 at a time: all of them take the first
message, then all the second, so that each step is timed without a clock inside. CPU time, not wall
time; each round visits all rows once.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import pstats
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from benchmarks.conditions import conditions, spread
from benchmarks.script import Script, Talk
from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.app.pool import ServedPool
from epp.app.process import App
from epp.config.settings import Settings
from epp.exchange.actions import Route
from epp.exchange.modes import BodyMode
from epp.openai import request as openai
from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.scheduling.decision import Outcome
from epp.server.conversation import Conversation
from epp.server.native.memory import keep_large_blocks

T = TypeVar("T")
U = TypeVar("U")

PODS = 8
STEPS = ("open", "headers", "body", "answer's headers", "answer's body", "close")

INSIDE = ("parse", "choice")  # of the step "body", timed apart from it
_PATH = "/v1/chat/completions"
_BUFFERED = BodyMode.BUFFERED
ROWS = {
    "2.4 KB, 20 chunks at once, duplex": Talk(),
    "2.4 KB, 20 chunks, duplex": Talk(together=False),
    "2.4 KB, 20 chunks at once, buffered": Talk(mode=_BUFFERED),
    "2.4 KB, 200 chunks, duplex": Talk(chunks=200, together=False),
    "2.4 KB, 200 chunks, buffered": Talk(mode=_BUFFERED, chunks=200, together=False),
    "350 KB, 20 chunks at once, duplex": Talk(body_bytes=350_000),
}


def picker(preset: str = "", config_file: Path | None = None) -> ServedPool:
    """Return the pool of a picker with default settings, the load of its pods known."""
    addresses = tuple(f"http://10.0.0.{n + 1}:8000" for n in range(PODS))
    settings = Settings(endpoints=addresses, preset=preset, config_file=config_file)
    pool = App(settings).pool
    pool.store.replace(Endpoint(f"10.0.0.{n + 1}:8000") for n in range(PODS))
    for n, endpoint in enumerate(pool.store.snapshot().endpoints):
        load = Load(
            time.monotonic(),
            waiting=n % 4,
            running=n % 9,
            kv_cache_usage=n % 17 / 20,
            blocks=26_000,
            block_size=16,
        )
        pool.store.report(endpoint, load)
    return pool


class Stopwatch:
    """Adds up the CPU microseconds that each step took for one of many values."""

    def __init__(self) -> None:
        self.times: dict[str, float] = {}

    def __call__(self, step: str, call: Callable[[T], U], values: Sequence[T]) -> list[U]:
        """Call for each value, and count the time to `step`."""
        began = time.process_time_ns()
        made = [call(value) for value in values]
        us = (time.process_time_ns() - began) / len(values) / 1000
        self.times[step] = self.times.get(step, 0.0) + us
        return made


def hold(pool: ServedPool, script: Script, count: int) -> dict[str, float]:
    """Hold `count` conversations in step; return the CPU microseconds of each step for one."""
    talks = [_serialized(script.next()) for _ in range(count)]
    timed = Stopwatch()
    streams = timed("open", lambda _: pool.converse(), range(count))
    replies = [
        timed(name, _exchange, list(zip(streams, [talk[n] for talk in talks], strict=True)))
        for n, name in enumerate(STEPS[1:5])
    ]
    timed("close", Conversation.close, streams)
    _check([[_parse(answers) for answers in step] for step in replies])
    return timed.times


def choose(pool: ServedPool, script: Script, count: int) -> dict[str, float]:
    """Make `count` choices, no conversation around them; return the same of what is in one."""
    bodies = [b"".join(m.request_body.body for m in script.next()[1]) for _ in range(count)]
    headers = {":path": _PATH, ":method": "POST", "x-request-id": "1"}
    timed = Stopwatch()
    timed("parse", lambda body: openai.parse(_PATH, "", body), bodies)
    now = time.monotonic()
    placements = timed(
        "choice", lambda body: pool.router.route(Route(headers, body), None, now), bodies
    )
    for placement in placements:
        assert placement.decision is not None
        placement.end(Outcome(200, completed=True), now)
    return timed.times


def _serialized(steps: list[list[pb.ProcessingRequest]]) -> list[list[bytes]]:
    return [[message.SerializeToString() for message in messages] for messages in steps]


def _exchange(pair: tuple[Conversation, list[bytes]]) -> list[bytes]:
    conversation, messages = pair
    return [reply for message in messages for reply in conversation.exchange(message)]


def _parse(replies: list[bytes]) -> list[pb.ProcessingResponse]:
    return [pb.ProcessingResponse.FromString(reply) for reply in replies]


def _check(replies: list[list[list[pb.ProcessingResponse]]]) -> None:
    assert not any(r.HasField("immediate_response") for s in replies for a in s for r in a)
    assert all(any(r.HasField("dynamic_metadata") for r in a) for a in replies[1])


def measure(rounds: int, count: int, preset: str) -> dict[str, list[dict[str, float]]]:
    """Return each row's rounds. What garbage one leaves is not the next one's."""
    keep_large_blocks()  # as the native transport does
    pool = picker(preset)
    scripts = {title: Script(talk) for title, talk in ROWS.items()}
    found: dict[str, list[dict[str, float]]] = {title: [] for title in ROWS}
    for number in range(rounds + 1):  # the first warms up
        for title, talk in ROWS.items():
            some = max(10, count * 2400 // talk.body_bytes)
            times: dict[str, float] = {}
            for part in (hold, choose):
                gc.collect()
                times |= part(pool, scripts[title], some)
            if number:
                found[title].append(times)
    return found


def profile(count: int, preset: str) -> None:
    """Print which functions the first row spends its time in; with the profiler's own cost."""
    pool, script = picker(preset), Script(Talk())
    hold(pool, script, count)
    profiler = cProfile.Profile(time.process_time)
    profiler.runcall(hold, pool, script, count)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(40)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--conversations", type=int, default=200)
    parser.add_argument("--profile", action="store_true", help="where the first row's time goes")
    parser.add_argument("--preset", default="", help="how to choose; as the flag of epp serve")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.profile:
        profile(options.conversations, options.preset)
        return
    found = measure(options.rounds, options.conversations, options.preset)
    where = conditions("benchmarks.micro.conversation", "protobuf", "msgspec", "xxhash")
    if options.json:
        print(json.dumps({**where, "rows": found}, indent=1))
        return
    for key, value in where.items():
        print(f"{key}: {value}")
    print(f"rounds: {options.rounds}; CPU µs for one conversation, median (lowest-highest);")
    print("steps: medians; parse is in choice, and choice in body\n")
    columns = (*STEPS, *INSIDE)
    print(f"| conversation | whole | {' | '.join(columns)} |\n|---|---|{'---|' * len(columns)}")
    for title, rounds in found.items():
        steps = [f"{statistics.median(times[step] for times in rounds):.1f}" for step in columns]
        whole_us = spread([sum(times[step] for step in STEPS) for times in rounds])
        print(f"| {title} | {whole_us} | {' | '.join(steps)} |")


if __name__ == "__main__":
    main()
