"""One address that the model servers connect to with their KV events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import zmq

from epp.pool.endpoint import Endpoint
from epp.precise.connection import subscriber
from epp.precise.directory import Directory
from epp.precise.intake import Intake, Wire
from epp.scheduling.kv.events import decode
from epp.scheduling.kv.topic import parse_topic

_log = logging.getLogger(__name__)

_AGAIN_S = 5.0
_COMPLAINTS = 64


class Bound:
    """Tells the servers apart by their topics, `kv@<pod>@<model>`."""

    def __init__(
        self,
        url: str,
        prefix: str,
        directory: Directory,
        intake_of: Callable[[Endpoint], Intake],
        wire: Wire,
    ) -> None:
        self._url = url
        self._prefix = prefix
        self._directory = directory
        self._intake_of = intake_of
        self._wire = wire
        self._complained: set[str] = set()

    def __repr__(self) -> str:
        return f"<Bound {self._url} {self._directory!r}>"

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except zmq.ZMQError as error:
                self._wire.tally.errors["bind"] += 1
                _log.error("KV events cannot come in at %s: %s", self._url, error)
            await asyncio.sleep(_AGAIN_S)

    async def _listen(self) -> None:
        with subscriber(self._wire.context) as socket:
            socket.bind(self._url)
            while True:
                frames = await socket.recv_multipart()
                await self._message(frames)
                await asyncio.sleep(0)  # what has arrived already is returned without a turn

    async def _message(self, frames: list[bytes]) -> None:
        if len(frames) != 3:
            self._wire.tally.garbage[""] += 1
            return
        topic, number, payload = frames
        batch = decode(payload)
        if batch is None or len(number) != 8:
            self._wire.tally.garbage[""] += 1
            return
        endpoint = self._meant(topic.decode(errors="replace"), batch.rank)
        if endpoint is not None:
            await self._intake_of(endpoint).take(int.from_bytes(number, "big"), batch)

    def _meant(self, text: str, rank: int) -> Endpoint | None:
        topic = parse_topic(text) if text.startswith(self._prefix) else None
        found = None if topic is None else self._directory.find(topic, rank)
        if found is None:
            self._wire.tally.unmatched += 1
            self._complain(text)
        return found

    def _complain(self, topic: str) -> None:
        if topic in self._complained or len(self._complained) >= _COMPLAINTS:
            return
        self._complained.add(topic)
        _log.error(
            'KV events under the topic "%s" belong to no endpoint and are ignored: a topic is '
            "kv@<address or name of an endpoint>@<model>, set by --kv-events-config",
            topic,
        )
