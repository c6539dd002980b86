"""What only the native transport shows: connections, frames and peers that mean no good."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import grpc.aio
import pytest

from epp._pb.envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from epp.http2 import frames
from epp.http2.frames import FrameType
from epp.server.listen import Listener, ListenSettings, Services
from epp.server.native import listen as native
from epp.server.processor import ExternalProcessor
from epp.server.tls import MadeUpCertificate
from tests.http2.peer import SETTLED, frame, reset, settings, trailers
from tests.server.loopback import (
    ANY_PORT,
    EchoConversation,
    Echoes,
    channel_to,
    chunk,
    echoed,
    open_stream,
    process_on,
    serving_over,
)
from tests.server.raw import HELLO, Raw, body, connected, process

serving = serving_over("native")


class Clock:
    """Runs as fast as it is told to."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have connections looked at often."""
    monkeypatch.setattr(native, "TICK_S", 0.01)


async def test_a_conversation_is_told_the_name_of_its_stream() -> None:
    echoes = Echoes()
    async with (
        serving(echoes.services) as listener,
        grpc.aio.insecure_channel(
            f"127.0.0.1:{listener.port}", options=[("grpc.default_authority", "epp.ns.svc:9002")]
        ) as channel,
    ):
        await open_stream(channel)
    assert echoes.authorities == ["epp.ns.svc:9002"]


async def test_all_that_one_read_brings_is_answered_in_one_write() -> None:
    echoes = Echoes()
    async with serving(echoes.services) as listener, connected(listener.port) as raw:
        await raw.until(FrameType.SETTINGS, flags=frames.ACK)
        raw.say(b"".join(process(n) + body(n, b"x") for n in range(1, 21, 2)))
        await raw.until(FrameType.DATA, 19)
        assert len(echoes.conversations) == 10


async def test_a_deadline_of_the_peer_ends_its_stream() -> None:
    echoes = Echoes()
    async with serving(echoes.services) as listener, channel_to(listener) as channel:
        method: grpc.aio.StreamStreamMultiCallable[pb.ProcessingRequest, pb.ProcessingResponse]
        method = channel.stream_stream("/envoy.service.ext_proc.v3.ExternalProcessor/Process")
        call = method(timeout=0.2)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call.read()
        assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        await asyncio.wait_for(echoes.only.closed.wait(), 5)
    assert echoes.only.closes == 1


async def test_a_deadline_is_the_servers_own_too() -> None:
    """A client whose own clock stands still."""
    echoes = Echoes()
    async with serving(echoes.services) as listener, connected(listener.port) as raw:
        raw.say(process(1, (b"grpc-timeout", b"50m")), body(1, b"x"))
        await raw.until(FrameType.DATA, 1)
        ended = await raw.until(FrameType.HEADERS, 1, flags=frames.END_STREAM)
        assert trailers([ended], 1)["grpc-status"] == "4"
        assert echoes.only.closes == 1


async def test_a_drain_says_goodbye_twice_and_closes() -> None:
    async with serving(Echoes().services) as listener, connected(listener.port) as raw:
        raw.say(SETTLED, process(1), body(1, b"x"))
        await raw.until(FrameType.DATA, 1)
        async with asyncio.TaskGroup() as group:
            group.create_task(listener.drain(10))
            first = await raw.until(FrameType.GOAWAY)
            assert int.from_bytes(first.payload[:4], "big") == 2**31 - 1
            ping = await raw.until(FrameType.PING)
            raw.say(process(3), body(3, b"late"))
            await raw.until(FrameType.DATA, 3)
            raw.say(frame(FrameType.PING, frames.ACK, 0, ping.payload))
            second = await raw.until(FrameType.GOAWAY)
            assert int.from_bytes(second.payload[:4], "big") == 3
            raw.say(reset(1), reset(3))
            assert await raw.end() == []


async def test_a_stuck_stream_ends_with_its_status_when_the_drain_is_over() -> None:
    echoes = Echoes()
    async with serving(echoes.services) as listener, connected(listener.port) as raw:
        raw.say(SETTLED, process(1), body(1, b"x"))
        await raw.until(FrameType.DATA, 1)
        await listener.drain(0.05)
        said = await raw.end()
    assert trailers(said, 1)["grpc-status"] == "14"
    assert echoes.only.closes == 1
    assert echoes.processor.inflight == 0


async def test_a_bug_at_the_beginning_of_a_stream_ends_it_alone() -> None:
    started: list[str] = []

    def start(_: str) -> EchoConversation:
        started.append("")
        if len(started) == 1:
            raise LookupError("bug")
        return EchoConversation()

    processor = ExternalProcessor(start)
    async with serving(Services(processor)) as listener, channel_to(listener) as channel:
        broken = process_on(channel)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await broken.read()
        assert raised.value.code() is grpc.StatusCode.UNKNOWN
        await open_stream(channel)
        assert processor.inflight == 1


async def test_a_bug_at_the_end_of_a_stream_ends_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Stumbling(EchoConversation):
        def close(self) -> None:
            super().close()
            raise LookupError("bug")

    kept: list[Stumbling] = []

    def start(_: str) -> EchoConversation:
        kept.append(Stumbling())
        return kept[-1] if len(kept) == 1 else EchoConversation()

    async with (
        serving(Services(ExternalProcessor(start))) as listener,
        connected(listener.port) as raw,
    ):
        raw.say(process(1), body(1, b"x"), process(3), reset(1), body(3, b"y"))
        await raw.until(FrameType.DATA, 3)
    assert kept[0].closes == 1
    assert "a stream failed" in caplog.messages


# --- peers that are slow, or gone ----------------------------------------------------------------


async def listening(echoes: Echoes, clock: Callable[[], float]) -> Listener:
    return await native.listen(ANY_PORT, echoes.services, None, clock)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("hello", [b"", frames.PREFACE[:7], frames.PREFACE])
async def test_a_peer_that_does_not_begin_is_let_go(hello: bytes) -> None:
    clock = Clock()
    listener = await listening(Echoes(), clock)
    async with connected(listener.port, hello) as raw:
        await raw.until(FrameType.SETTINGS)
        clock.ahead = 10.0
        goaway = await raw.until(FrameType.GOAWAY)
        assert goaway.code == 4
        assert await raw.end() == []
    await listener.drain(0)


@pytest.mark.usefixtures("quick")
async def test_a_peer_that_is_gone_without_a_word_is_found(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    clock, echoes = Clock(), Echoes()
    listener = await listening(echoes, clock)
    async with connected(listener.port) as raw:
        raw.say(SETTLED, process(1), body(1, b"x"))
        await raw.until(FrameType.DATA, 1)
        clock.ahead = 30.0
        await raw.until(FrameType.PING)
        clock.ahead = 40.1
        await asyncio.wait_for(echoes.only.closed.wait(), 5)
    assert "connection ended" in caplog.messages
    await listener.drain(0)


async def test_a_peer_that_reads_nothing_is_not_read_either() -> None:
    """Its socket is full; what it goes on to say stays with it, and its memory is its own."""
    echoes = Echoes()
    async with serving(echoes.services) as listener:
        async with connected(listener.port) as raw:
            raw.writer.transport.set_write_buffer_limits(0)
            raw.say(process(1))
            sent = 0
            try:
                async with asyncio.timeout(1.0):
                    while sent < 500:
                        raw.say(body(1, bytes(200_000)))
                        await raw.writer.drain()
                        sent += 1
            except TimeoutError:
                pass
            assert sent < 500
            async with connected(listener.port) as other:
                other.say(process(1), body(1, b"here"))
                await other.until(FrameType.DATA, 1)
        await asyncio.wait_for(echoes.conversations[0].closed.wait(), 5)


# --- attacks, and what others feel of them --------------------------------------------------------


def rss_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def rapid_resets() -> Iterator[bytes]:
    for first in range(1, 2**20, 200):
        yield b"".join(process(n) + reset(n) for n in range(first, first + 200, 2))


def continuations() -> Iterator[bytes]:
    yield frame(FrameType.HEADERS, 0, 1, b"")
    while True:
        yield frame(FrameType.CONTINUATION, 0, 1, b"") * 10


def pings() -> Iterator[bytes]:
    while True:
        yield frame(FrameType.PING, payload=bytes(8)) * 100


def all_settings() -> Iterator[bytes]:
    while True:
        yield settings((4, 1000)) * 20


def priorities() -> Iterator[bytes]:
    while True:
        yield frame(FrameType.PRIORITY, 0, 1, bytes(5)) * 200


def empty_data() -> Iterator[bytes]:
    yield process(1)
    while True:
        yield frame(FrameType.DATA, 0, 1) * 50


def unfitting_headers() -> Iterator[bytes]:
    yield frame(FrameType.HEADERS, 0, 1, bytes(16_000))
    while True:
        yield frame(FrameType.CONTINUATION, 0, 1, bytes(16_000))


def overflowing_windows() -> Iterator[bytes]:
    while True:
        yield frames.window_update(0, 2**31 - 1)


FLOODS = [
    rapid_resets,
    continuations,
    pings,
    all_settings,
    priorities,
    empty_data,
    unfitting_headers,
    overflowing_windows,
]


async def flood(port: int, parts: Iterator[bytes]) -> None:
    """Say these until the server ends the connection."""
    async with connected(port) as raw:
        ended = asyncio.ensure_future(raw.end())
        for part in parts:
            if ended.done() or raw.writer.is_closing():
                break
            raw.say(part)
            await asyncio.sleep(0)
        await ended


async def slowest_of(raw: Raw, stream_ids: Iterator[int], stop: Callable[[], bool]) -> float:
    """Have streams answered until it is enough; return what the slowest took."""
    slowest = 0.0
    for stream_id in stream_ids:
        begun = time.perf_counter()
        raw.say(process(stream_id), body(stream_id, b"x"))
        await raw.until(FrameType.DATA, stream_id)
        raw.say(reset(stream_id))
        slowest = max(slowest, time.perf_counter() - begun)
        if stop():
            break
    return slowest


@pytest.mark.parametrize("parts", FLOODS, ids=lambda flood: flood.__name__)
async def test_a_flood_is_cut_and_an_honest_peer_does_not_feel_it(
    parts: Callable[[], Iterator[bytes]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    echoes = Echoes()
    async with serving(echoes.services) as listener, connected(listener.port) as honest:
        ids = iter(range(1, 2**20, 2))
        for _ in range(100):
            await slowest_of(honest, ids, lambda: True)
        before = rss_bytes()
        async with asyncio.TaskGroup() as group:
            attack = group.create_task(flood(listener.port, parts()))
            slowest = await slowest_of(honest, ids, attack.done)
        assert slowest < 0.5  # of a machine that others use too; an event loop that stalls takes s
        assert rss_bytes() - before < 20 * 1024 * 1024
    assert "connection ended" in caplog.messages  # a cut peer may not get to read why
    assert echoes.processor.inflight == 0
    assert {conversation.closes for conversation in echoes.conversations} == {1}


class Forgetful(EchoConversation):
    def receive(self, message: pb.ProcessingRequest) -> list[pb.ProcessingResponse]:
        replies = super().receive(message)
        self.received.clear()
        return replies


async def test_a_window_that_is_never_opened_holds_little() -> None:
    processor = ExternalProcessor(lambda _: Forgetful())
    hello = frames.PREFACE + settings((4, 0)) + SETTLED
    async with serving(Services(processor)) as listener, connected(listener.port, hello) as raw:
        before = rss_bytes()
        for stream_id in range(1, 1601, 2):
            raw.say(process(stream_id), body(stream_id, bytes(100_000)))
            await raw.writer.drain()
        raw.say(frame(FrameType.PING, payload=b"all read"))
        while (await raw.until(FrameType.PING)).payload != b"all read":
            pass
        assert rss_bytes() - before < 40 * 1024 * 1024  # of 80 that were sent, and the peer's own
        assert processor.inflight < 400


@pytest.mark.slow
async def test_ten_thousand_idle_streams_are_held_and_others_served() -> None:
    echoes = Echoes()
    async with serving(echoes.services) as listener, connected(listener.port) as raw:
        before = rss_bytes()
        for first in range(1, 20_001, 400):
            ids = range(first, first + 400, 2)
            raw.say(b"".join(process(n) + body(n, b"x") for n in ids))
            await raw.until(FrameType.DATA, ids[-1])
        assert echoes.processor.inflight == 10_000
        assert (rss_bytes() - before) / 10_000 < 40 * 1024
        async with connected(listener.port) as other:
            assert await slowest_of(other, iter(range(1, 200, 2)), lambda: False) < 0.5


async def test_half_open_connections_are_found_by_their_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(native, "TICK_S", 0.01)
    clock, echoes = Clock(), Echoes()
    listener = await listening(echoes, clock)
    async with AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(connected(listener.port, HELLO + SETTLED))
            for _ in range(50)
        ]
        for raw in opened:
            await raw.until(FrameType.SETTINGS, flags=frames.ACK)
        clock.ahead = 31.0
        for raw in opened:
            await raw.until(FrameType.PING)
        clock.ahead = 42.0
        for raw in opened:
            assert [said.kind for said in await raw.end()] == [FrameType.GOAWAY]
    await listener.drain(0)


async def test_an_envoy_all_of_whose_streams_are_cancelled_is_not_cut() -> None:
    echoes = Echoes()
    async with serving(echoes.services) as listener, connected(listener.port) as raw:
        for first in range(1, 20_001, 400):
            ids = range(first, first + 400, 2)
            raw.say(b"".join(process(n) + body(n, b"x") + reset(n) for n in ids))
            raw.say(frame(FrameType.PING, payload=b"all read"))
            await raw.until(FrameType.PING)
        assert len(echoes.conversations) == 10_000
        assert echoes.processor.inflight == 0


async def test_a_refused_stream_is_told_so_on_the_wire() -> None:
    settings_ = ListenSettings(port=0, max_concurrent_streams=1)
    async with (
        serving(Echoes().services, settings=settings_) as listener,
        connected(listener.port) as raw,
    ):
        told = await raw.until(FrameType.SETTINGS)
        assert b"\0\x03\0\0\0\x01" in told.payload
        raw.say(process(1), process(3))
        assert (await raw.until(FrameType.RST_STREAM, 3)).code == 7


async def test_the_protocol_is_agreed_on_in_the_handshake() -> None:
    import ssl

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1", "h2"])
    async with serving(Echoes().services, certificates=MadeUpCertificate()) as listener:
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port, ssl=context)
        handshake = writer.get_extra_info("ssl_object")
        assert handshake.selected_alpn_protocol() == "h2"
        assert handshake.version() in {"TLSv1.2", "TLSv1.3"}
        writer.close()


async def test_large_bodies_leave_nothing_behind() -> None:
    echoes = Echoes()
    async with serving(echoes.services) as listener, channel_to(listener) as channel:
        stream = await open_stream(channel)
        for _ in range(3):
            await stream.write(chunk(bytes(3_000_000)))
            assert await stream.read() == echoed(bytes(3_000_000))
        assert native._CAPACITY.assembly.used == 0
        stream.cancel()
