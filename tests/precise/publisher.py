"""A publisher of KV events as vLLM's is: PUB for what happens, ROUTER for what was missed."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType
from typing import Self

import zmq
import zmq.asyncio

_END = (-1).to_bytes(8, "big", signed=True)


class Publisher:
    """Publishes raw messages under numbers that the test chooses, and keeps them for replays."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        replay_port: int = 0,
        *,
        connect: str = "",
        topic: bytes = b"kv@127.0.0.1@tiny",
        kept: int = 1000,
    ) -> None:
        self.topic = topic
        self.kept = deque[tuple[int, bytes]](maxlen=kept)
        self.asked: list[int] = []  # where replays began
        self.answers = True
        self._host = host
        self._connect = connect
        self.port, self.replay_port = port, replay_port

    async def __aenter__(self) -> Self:
        self._context = zmq.asyncio.Context()
        self._pub = self._context.socket(zmq.XPUB)  # as PUB, and tells of subscribers
        self._router = self._context.socket(zmq.ROUTER)
        self._pub.linger = self._router.linger = 0
        if self._connect:
            self._pub.connect(self._connect)
        else:
            self.port = self._bind(self._pub, self.port)
        self.replay_port = self._bind(self._router, self.replay_port)
        self._group = await asyncio.TaskGroup().__aenter__()
        self._replaying = self._group.create_task(self._replay())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._replaying.cancel()
        await self._group.__aexit__(None, None, None)
        self._context.destroy(linger=0)

    def _bind(self, socket: zmq.asyncio.Socket, port: int) -> int:
        if port:
            socket.bind(f"tcp://{self._host}:{port}")
            return port
        return socket.bind_to_random_port(f"tcp://{self._host}")

    async def subscribed(self) -> None:
        """Wait until somebody listens."""
        await self._pub.recv()

    async def send(self, number: int, payload: bytes) -> None:
        """Publish a message, and keep it."""
        self.kept.append((number, payload))
        await self._pub.send_multipart([self.topic, number.to_bytes(8, "big"), payload])

    def lose(self, number: int, payload: bytes) -> None:
        """Keep a message that nobody hears."""
        self.kept.append((number, payload))

    async def send_frames(self, *frames: bytes) -> None:
        """Publish anything."""
        await self._pub.send_multipart(frames)

    async def _replay(self) -> None:
        while True:
            client, empty, start = await self._router.recv_multipart()
            self.asked.append(int.from_bytes(start, "big"))
            if not self.answers:
                continue
            for number, payload in list(self.kept):
                if number >= self.asked[-1]:
                    frames = [client, empty, number.to_bytes(8, "big"), payload]
                    await self._router.send_multipart(frames)
            await self._router.send_multipart([client, empty, _END, b""])
