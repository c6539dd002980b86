"""What a whole request costs, from the bytes of a connection to the bytes of a connection.

    python -m benchmarks.micro.path [--rounds 15] [--requests 400] [--rows short,...]
        [--preset classic] [--profile] [--json]

The picker as `epp serve --transport native` builds it, everything on that is on by default, eight
pods whose metrics are known; frames as Envoy writes them. Only the socket is missing: a transport
takes what is written. So many requests are on their way as in the load rows (16, or 4 of long
prompts), and one read brings the next step of all of them: under load Envoy sends so (0.3 reads for
each request were counted). CPU time, not wall time; each round visits all rows once, and the lowest
is nearest to the truth on a machine that does other work.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import json
import pstats
import statistics
import time
from collections.abc import Iterator
from typing import Any, cast

from benchmarks.conditions import conditions, spread
from benchmarks.micro.conversation import ROWS, picker
from benchmarks.script import Script
from epp.app.pool import ServedPool
from epp.app.process import YOUNGEST
from epp.exchange.request import DESTINATION
from epp.http2 import frames, hpack
from epp.http2.assembly import PREFIX
from epp.http2.frames import FrameType
from epp.http2.guards import Capacity
from epp.server.listen import Services
from epp.server.native.memory import keep_large_blocks
from epp.server.native.services import methods
from epp.server.native.wire import Wire, Wires, WireSettings
from epp.server.processor import SERVICE, ExternalProcessor

_CANCELLED = 2  # as Envoy ends a stream
_WINDOW = 2**30
_BLOCK = hpack.encode(
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":path", f"/{SERVICE}/Process".encode()),
    (b":authority", b"picker"),
    (b"te", b"trailers"),
    (b"content-type", b"application/grpc"),
    (b"x-envoy-internal", b"true"),
    (b"x-forwarded-for", b"10.0.0.7"),
)


class Sink:
    """A transport that takes everything, and keeps no more than the size of it, unless it is to."""

    def __init__(self) -> None:
        self.written = 0
        self.kept: list[bytes] | None = None

    def write(self, data: bytes) -> None:
        self.written += len(data)
        if self.kept is not None:
            self.kept.append(data)

    def is_closing(self) -> bool:
        return False

    def set_write_buffer_limits(self, _: int) -> None:
        """Have none."""


class Peer:
    """Envoy's side of a connection with a picker, and the picker's."""

    def __init__(self, pool: ServedPool) -> None:
        processor = ExternalProcessor(lambda _: pool.converse())
        services = methods(Services(processor))
        settings = WireSettings(services, Capacity(), time.monotonic, 17 * 1024 * 1024)
        self.processor = processor
        self.sink = Sink()
        self.wire = Wire(settings, Wires())
        self.wire.connection_made(cast("asyncio.Transport", self.sink))
        window = frames.window_update(0, _WINDOW)
        own = frames.frame(FrameType.SETTINGS, 0, 0, b"\x00\x04\x7f\xff\xff\xff")
        agreed = frames.frame(FrameType.SETTINGS, frames.ACK, 0)
        self.wire.data_received(frames.PREFACE + own + agreed + window)
        self._next_id = 1

    def reads(self, scripts: list[list[list[bytes]]]) -> list[bytes]:
        """Return what is read of so many requests that go on together."""
        ids = range(self._next_id, self._next_id + 2 * len(scripts), 2)
        self._next_id = ids.stop
        steps = [_frames(stream_id, script) for stream_id, script in zip(ids, scripts, strict=True)]
        window = []
        if self.sink.written > _WINDOW // 2:
            window.append(frames.window_update(0, self.sink.written // 2))
            self.sink.written = 0
        return [*window, *(b"".join(step) for step in zip(*steps, strict=True))]


def _frames(stream_id: int, script: list[list[bytes]]) -> list[bytes]:
    """Return the bytes of each step of a request; its end comes with the last."""
    opened = frames.frame(FrameType.HEADERS, frames.END_HEADERS, stream_id, _BLOCK)
    headers, body, answer, *chunks = script
    steps = [[opened, *_data(stream_id, headers)]]
    steps += [[*_data(stream_id, some)] for some in (body, answer, *chunks)]
    steps[-1].append(frames.reset(stream_id, _CANCELLED))
    return [b"".join(step) for step in steps]


def _data(stream_id: int, messages: list[bytes]) -> Iterator[bytes]:
    size = frames.MAX_FRAME_BYTES
    for message in messages:
        whole = PREFIX.pack(0, len(message)) + message
        for start in range(0, len(whole), size):
            yield frames.frame(FrameType.DATA, 0, stream_id, whole[start : start + size])


def _scripts(script: Script, count: int) -> list[list[list[bytes]]]:
    """Return requests as steps of messages. Chunks that do not come together are a step each."""
    made = []
    for _ in range(count):
        headers, body, answer, chunks = [
            [message.SerializeToString() for message in step] for step in script.next()
        ]
        made.append([headers, body, answer, *([chunk] for chunk in chunks[:-1]), [chunks[-1]]])
    return made


def pass_through(peer: Peer, script: Script, count: int, at_once: int) -> float:
    """Have about so many requests served; return the CPU microseconds of one."""
    spent, times = 0, max(1, count // at_once)
    receive = peer.wire.data_received
    for _ in range(times):
        reads = peer.reads(_scripts(script, at_once))
        began = time.process_time_ns()
        for read in reads:
            receive(read)
        spent += time.process_time_ns() - began
    assert peer.processor.inflight == 0
    return spent / 1000 / (at_once * times)


def check(peer: Peer, script: Script, count: int) -> None:
    """Have some requests served, and see that each got a destination, as header and metadata."""
    peer.sink.kept = []
    pass_through(peer, script, count, count)
    written, peer.sink.kept = b"".join(peer.sink.kept), None
    assert written.count(DESTINATION.encode()) == 2 * count


def measure(rounds: int, count: int, preset: str, names: list[str]) -> dict[str, list[float]]:
    """Return each row's rounds."""
    keep_large_blocks()  # as the native transport does
    peer = Peer(picker(preset))
    scripts = {name: Script(ROWS[name]) for name in names}
    for script in scripts.values():
        check(peer, script, 4)
    gc.collect()
    gc.freeze()  # as the picker does when it is ready
    gc.set_threshold(YOUNGEST)
    found: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):  # the first warms up
        for name, script in scripts.items():
            talk = ROWS[name]
            weight = 1 + talk.body_bytes // 20_000 + (0 if talk.together else talk.chunks // 20)
            us = pass_through(peer, script, count // weight, 4 if talk.body_bytes > 10_000 else 16)
            if number:
                found[name].append(us)
    return found


def profile(count: int, preset: str, name: str) -> None:
    """Print which functions a row spends its time in; with the profiler's own cost."""
    peer, script = Peer(picker(preset)), Script(ROWS[name])
    pass_through(peer, script, count, 16)
    profiler = cProfile.Profile(time.process_time)
    profiler.runcall(pass_through, peer, script, count, 16)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(60)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--rows", default="", help="numbers of rows, from 1; all if not given")
    parser.add_argument("--preset", default="", help="how to choose; as the flag of epp serve")
    parser.add_argument("--profile", action="store_true", help="where the first row's time goes")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    names: list[str] = list(ROWS)
    if options.rows:
        names = [names[int(number) - 1] for number in options.rows.split(",")]
    if options.profile:
        profile(options.requests, options.preset, names[0])
        return
    found = measure(options.rounds, options.requests, options.preset, names)
    where: dict[str, Any] = conditions("benchmarks.micro.path", "protobuf", "msgspec", "xxhash")
    if options.json:
        print(json.dumps({**where, "rows": found}, indent=1))
        return
    for key, value in where.items():
        print(f"{key}: {value}")
    print(f"rounds: {options.rounds}; CPU µs for one request\n")
    print("| request | lowest | median (lowest-highest) |\n|---|---|---|")
    for name, rounds in found.items():
        print(f"| {name} | {min(rounds):.1f} | {spread(rounds, 1)} |")
        assert statistics.median(rounds) > 0


if __name__ == "__main__":
    main()
