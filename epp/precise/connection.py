"""One endpoint's publisher of KV events, connected to."""

from __future__ import annotations

import asyncio
import logging

import zmq
import zmq.asyncio
from zmq.utils.monitor import recv_monitor_message

from epp.pool.endpoint import Endpoint
from epp.precise.intake import Intake, Wire
from epp.precise.replay import MAX_MESSAGE_BYTES
from epp.scheduling.kv.feed import Feed

_log = logging.getLogger(__name__)

_UP = zmq.EVENT_HANDSHAKE_SUCCEEDED
_DOWN = zmq.EVENT_DISCONNECTED
_PATIENCE_S = 10.0
_AGAIN_S = 5.0


class Connection:
    """Subscribes to everything, so that a topic that was not expected is seen."""

    def __init__(
        self,
        endpoint: Endpoint,
        feed: Feed,
        wire: Wire,
        *,
        url: str,
        replay_url: str,
        prefix: str,
    ) -> None:
        self._endpoint = endpoint
        self._feed = feed
        self._url = url
        self._prefix = prefix.encode()
        self._wire = wire
        self._intake = Intake(feed, replay_url, wire)
        self._turn = (
            asyncio.Lock()
        )  # a message must not overtake the replay at a connection's start
        self._up = asyncio.Event()
        self._complained = False

    def __repr__(self) -> str:
        return f"<Connection {self._url} {self._feed!r}>"

    async def run(self) -> None:
        """Listen until cancelled; ZeroMQ connects again by itself."""
        while True:
            try:
                await self._listen()
            except* zmq.ZMQError as errors:
                self._wire.tally.errors["connect"] += 1
                _log.error(
                    "KV events of %s at %s: %s", self._endpoint, self._url, errors.exceptions[0]
                )
            self._feed.lose()
            await asyncio.sleep(_AGAIN_S)

    async def _listen(self) -> None:
        with subscriber(self._wire.context) as socket:
            monitor = socket.get_monitor_socket(_UP | _DOWN)
            try:
                socket.connect(self._url)
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._watch(monitor))
                    group.create_task(self._receive(socket))
                    group.create_task(self._doubt())
            finally:
                socket.disable_monitor()

    async def _watch(self, monitor: zmq.asyncio.Socket) -> None:
        while True:
            event = await recv_monitor_message(monitor)
            if event["event"] == _UP:
                self._wire.tally.connections[self._endpoint.address] += 1
                self._up.set()
                async with self._turn:
                    await self._intake.begin()
            else:
                _log.warning("KV events of %s: the connection is lost", self._endpoint)
                self._feed.lose()

    async def _receive(self, socket: zmq.asyncio.Socket) -> None:
        while True:
            frames = await socket.recv_multipart()
            async with self._turn:
                await self._message(frames)
            await asyncio.sleep(0)  # what has arrived already is returned without a turn

    async def _message(self, frames: list[bytes]) -> None:
        if len(frames) != 3:
            self._wire.tally.garbage[self._endpoint.address] += 1
        elif not frames[0].startswith(self._prefix):
            self._wire.tally.unmatched += 1
            self._complain(frames[0])
        else:
            await self._intake.message(*frames[1:])

    def _complain(self, topic: bytes) -> None:
        if not self._complained:
            self._complained = True
            _log.error(
                'KV events of %s have the topic "%s", and topicFilter is "%s": they are ignored',
                self._endpoint,
                topic.decode(errors="replace"),
                self._prefix.decode(),
            )

    async def _doubt(self) -> None:
        """Say once that nobody is there, which may be wrong in the server's flags or in ours."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._up.wait()
        except TimeoutError:
            _log.error(
                "KV events of %s: nothing answers at %s; is --kv-events-config set there?",
                self._endpoint,
                self._url,
            )


def subscriber(context: zmq.asyncio.Context) -> zmq.asyncio.Socket:
    """Return a socket that hears everything and notices a peer that went silent."""
    socket = context.socket(zmq.SUB)
    socket.linger = 0
    socket.ipv6 = True
    socket.maxmsgsize = MAX_MESSAGE_BYTES
    socket.rcvhwm = 10_000
    socket.reconnect_ivl = 100
    socket.reconnect_ivl_max = 5_000
    socket.heartbeat_ivl = 2_000
    socket.heartbeat_timeout = 6_000
    socket.subscribe(b"")
    return socket
