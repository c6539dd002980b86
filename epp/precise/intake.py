"""One endpoint's messages, put in order with the help of replays."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec
import zmq.asyncio

from epp.precise.replay import replay
from epp.precise.tally import Tally
from epp.scheduling.kv.events import Batch, decode
from epp.scheduling.kv.feed import Feed

_log = logging.getLogger(__name__)

_COOLDOWN_S = 10.0  # between replays that close gaps: who cannot keep up must not ask for more


class Wire(msgspec.Struct, frozen=True):
    """What all intakes share."""

    context: zmq.asyncio.Context
    tally: Tally
    wall: Callable[[], float]  # seconds since 1970
    replays: asyncio.Semaphore


class Intake:
    """Takes raw messages; `replay_url` is where missing ones are asked for, "" if nowhere."""

    def __init__(self, feed: Feed, replay_url: str, wire: Wire) -> None:
        self._feed = feed
        self._replay_url = replay_url
        self._wire = wire
        self._not_before = float("-inf")

    def __repr__(self) -> str:
        return f"<Intake {self._feed!r}>"

    async def message(self, number: bytes, payload: bytes) -> None:
        """Apply a message, and before it what was missed."""
        batch = self.read(number, payload)
        if batch is not None:
            await self.take(int.from_bytes(number, "big"), batch)

    def read(self, number: bytes, payload: bytes) -> Batch | None:
        """Return what a message says; None, counted, if it is none."""
        batch = decode(payload) if len(number) == 8 else None
        if batch is None:
            self._wire.tally.garbage[self._feed.address] += 1
        return batch

    async def take(self, number: int, batch: Batch) -> None:
        """Apply a message that was read."""
        self._feed.lag_s = self._wire.wall() - batch.ts
        missing = self._feed.take(number, batch)
        if missing is None:
            return
        now = asyncio.get_running_loop().time()
        if self._replay_url and now >= self._not_before:
            self._not_before = now + _COOLDOWN_S
            await self._replay(missing)
            missing = self._feed.take(number, batch)
        if missing is not None:
            _log.warning(
                "KV events are missing, and no replay has them",
                extra={"endpoint": self._feed.address, "from": missing, "to": number - 1},
            )
            self._feed.resume(number, batch)

    async def begin(self) -> None:
        """Hear the whole story of a server that was just connected to, if it can be asked."""
        self._feed.connected = True
        if self._replay_url:
            self._feed.begin()
            if await self._replay(0):
                self._feed.caught_up()

    async def _replay(self, start: int) -> bool:
        address, tally = self._feed.address, self._wire.tally
        async with self._wire.replays:
            complete = await replay(self._wire.context, self._replay_url, start, self._replayed)
        (tally.replays if complete else tally.failed_replays)[address] += 1
        if not complete:
            _log.warning(
                "no replay of KV events", extra={"endpoint": address, "url": self._replay_url}
            )
        return complete

    def _replayed(self, number: bytes, payload: bytes) -> None:
        batch = self.read(number, payload)
        if batch is None:
            return
        self._wire.tally.replayed[self._feed.address] += 1
        place = int.from_bytes(number, "big")
        if self._feed.take(place, batch) is not None:  # what came before is kept no longer
            self._feed.resume(place, batch)
