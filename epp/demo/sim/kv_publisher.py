"""Publishes KV events over ZeroMQ, and sends again what was missed."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import zmq
import zmq.asyncio

from epp.demo.sim.kv_events import KvEvents

_KEPT = 10_000  # messages
_END = (-1).to_bytes(8, "big", signed=True)


class KvPublisher:
    """As vLLM's: an endpoint with `*` is bound, another is connected to."""

    def __init__(
        self, endpoint: str, replay_endpoint: str, topic: str, clock: Callable[[], float]
    ) -> None:
        self._endpoint = endpoint
        self._replay_endpoint = replay_endpoint
        self._topic = topic.encode()
        self._clock = clock
        self._number = 0
        self._kept = deque[tuple[int, bytes]](maxlen=_KEPT)
        self._news = asyncio.Event()

    def __repr__(self) -> str:
        return f"<KvPublisher {self._endpoint} {self._topic!r}, {self._number} sent>"

    def notify(self) -> None:
        """Publish soon: there are events."""
        self._news.set()

    async def run(self, events: KvEvents) -> None:
        """Publish until cancelled."""
        context = zmq.asyncio.Context()
        try:
            publisher = context.socket(zmq.PUB)
            if "*" in self._endpoint:
                publisher.bind(self._endpoint)
            else:
                publisher.connect(self._endpoint)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._publish(publisher, events))
                if self._replay_endpoint:
                    router = context.socket(zmq.ROUTER)
                    router.bind(self._replay_endpoint)
                    group.create_task(self._replay(router))
        finally:
            context.destroy(linger=0)

    async def _publish(self, publisher: zmq.asyncio.Socket, events: KvEvents) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            payload = events.take(self._clock())
            if payload is not None:
                self._kept.append((self._number, payload))
                number = self._number.to_bytes(8, "big")
                await publisher.send_multipart([self._topic, number, payload])
                self._number += 1

    async def _replay(self, router: zmq.asyncio.Socket) -> None:
        while True:
            client, *_, start = await router.recv_multipart()
            for number, payload in list(self._kept):
                if number >= int.from_bytes(start, "big"):
                    await router.send_multipart([client, b"", number.to_bytes(8, "big"), payload])
            await router.send_multipart([client, b"", _END, b""])
