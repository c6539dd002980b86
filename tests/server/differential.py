"""The same conversations over both transports, which must end alike.

    python -m tests.server.differential [--conversations 10000] [--seed 0]

What a client says is drawn by lot: messages in any order, some broken, large and empty ones, an
end or a cancellation. Both transports are asked by the same client, of grpcio, and stand before the
same picker. Replies are compared byte by byte, and the status with which a stream ends.

A script stops where its conversation does: grpcio's client may lose replies, of either transport,
when it writes on a stream that has just ended.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

import grpc
import grpc.aio

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.exchange.modes import BodyMode
from epp.server.listen import Services
from epp.server.processor import SERVICE, Conversation, ExternalProcessor
from tests.server.envoy import (
    request_body,
    request_headers,
    request_trailers,
    response_body,
    response_headers,
    response_trailers,
)
from tests.server.loopback import Transport, serving_over
from tests.server.picker import Picker, pod

TRANSPORTS: tuple[Transport, ...] = ("grpcio", "native")
BODIES = (
    b'{"model": "m", "prompt": "hello"}',
    b'{"model": "m", "prompt": "' + b"x" * 150_000 + b'"}',
    b"not json",
    b"",
)
BROKEN = b"\xff\xff\xff"
_BROKEN = {"INTERNAL", "UNKNOWN"}  # gRPC's documents want the first, grpcio gives the second


class Script(NamedTuple):
    """What a client says, and whether it then cancels."""

    messages: tuple[bytes, ...]
    cancels: bool


class Outcome(NamedTuple):
    """What it heard."""

    replies: tuple[bytes, ...]
    status: str


def script(rng: random.Random) -> Script:
    """Draw a script by lot: mostly as Envoy speaks, sometimes as nobody should."""
    mode = rng.choice(list(BodyMode))
    end = rng.random() < 0.8
    whole = [
        request_headers(mode=mode, end=rng.random() < 0.1),
        *(request_body(rng.choice(BODIES[1:]), end=False) for _ in range(rng.choice((0, 0, 1, 3)))),
        request_body(BODIES[rng.random() < 0.2], end=end),
        *([] if end else [request_trailers()]),
        response_headers(content_type=rng.choice(("application/json", "text/event-stream"))),
        *(response_body(rng.choice(BODIES[1:])) for _ in range(rng.choice((0, 1, 20)))),
        response_body(rng.choice(BODIES), end=rng.random() < 0.8),
        *([response_trailers()] if rng.random() < 0.2 else []),
    ]
    if rng.random() < 0.2:
        rng.shuffle(whole)
    kept = whole[: rng.randint(0, len(whole))] if rng.random() < 0.3 else whole
    messages = [message.SerializeToString() for message in to_the_end(kept)]
    if messages and rng.random() < 0.05:
        messages[rng.randrange(len(messages)) :] = [BROKEN]
    return Script(tuple(messages), rng.random() < 0.2)


def to_the_end(messages: Sequence[pb.ProcessingRequest]) -> Iterator[pb.ProcessingRequest]:
    """Yield those that are said before the picker refuses to go on."""
    stream = a_picker().stream()
    for message in messages:
        yield message
        stream.receive(message)
        if stream.finished:
            break
    stream.close()


def a_picker() -> Picker:
    return Picker(pod("10.0.0.1:8000"), pod("10.0.0.2:8000"))


class Rig:
    """A transport with a picker behind it that is new for each conversation."""

    def __init__(self) -> None:
        self.picker = a_picker()
        self.processor = ExternalProcessor(self._start)

    def _start(self, _: str) -> Conversation:
        self.picker = a_picker()
        return self.picker.stream()

    async def play(self, channel: grpc.aio.Channel, played: Script) -> Outcome:
        """Have a client say it."""
        method: grpc.aio.StreamStreamMultiCallable[bytes, bytes]
        method = channel.stream_stream(f"/{SERVICE}/Process")
        call = method()
        replies: list[bytes] = []
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(self._read(call, replies))
            for message in played.messages:
                try:
                    await call.write(message)
                except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                    break  # it has ended already
            if not call.done():
                await call.done_writing()
            await reading
        code = (await call.code()).name
        if BROKEN in played.messages and code in _BROKEN:
            return Outcome((), "broken")  # its client may not have read the replies before
        return Outcome(tuple(replies), code)

    async def cancelled(self, channel: grpc.aio.Channel, played: Script) -> Outcome:
        """Have a client say it and go, once the first message was taken."""
        method: grpc.aio.StreamStreamMultiCallable[bytes, bytes]
        method = channel.stream_stream(f"/{SERVICE}/Process")
        call = method()
        for message in played.messages[:1]:
            await call.write(message)
        call.cancel()
        await self.settled()
        return Outcome((), "CANCELLED")

    async def settled(self) -> None:
        """Wait until nothing is held any more."""
        async with asyncio.timeout(10):
            while self.processor.inflight:
                await asyncio.sleep(0.001)
        assert self.picker.in_flight.by_address() == {}
        assert len(self.picker.router._issued) == 0

    async def _read(
        self, call: grpc.aio.StreamStreamCall[bytes, bytes], replies: list[bytes]
    ) -> None:
        try:
            while isinstance(reply := await call.read(), bytes):
                replies.append(reply)
        except grpc.aio.AioRpcError:
            pass


@asynccontextmanager
async def rigs() -> AsyncIterator[list[tuple[Rig, grpc.aio.Channel]]]:
    """Both transports, and a client to each."""
    async with AsyncExitStack() as stack:
        found = []
        for transport in TRANSPORTS:
            rig = Rig()
            serving = serving_over(transport)(Services(rig.processor))
            listener = await stack.enter_async_context(serving)
            channel = grpc.aio.insecure_channel(f"127.0.0.1:{listener.port}")
            found.append((rig, await stack.enter_async_context(channel)))
        yield found


async def compare(conversations: int, seed: int) -> None:
    """Play so many; AssertionError shows the first that ends differently."""
    rng = random.Random(seed)
    async with rigs() as both:
        for n in range(conversations):
            played = script(rng)
            outcomes = []
            for rig, channel in both:
                play = rig.cancelled if played.cancels else rig.play
                outcomes.append(await play(channel, played))
                await rig.settled()
            where = f"conversation {n} of seed {seed}: {describe(played)}"
            assert outcomes[0] == outcomes[1], where


def describe(played: Script) -> list[str]:
    """Say what was said."""
    told = []
    for message in played.messages:
        known = message != BROKEN
        kind = pb.ProcessingRequest.FromString(message).WhichOneof("request") if known else None
        told.append(f"{kind} of {len(message)} bytes")
    return told


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--conversations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    asyncio.run(compare(options.conversations, options.seed))
    print(f"{options.conversations} conversations ended alike")  # noqa: T201  a command


if __name__ == "__main__":
    main()
