"""Attacks, each of which ends its connection or its stream and holds no memory; and honest peers
that do the same things for good reasons, and are never cut.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from struct import pack

import pytest

from epp.http2 import frames, guards, hpack
from epp.http2.events import Gone, Message, Opened
from epp.http2.frame_effects import State
from epp.http2.frames import FrameType
from epp.http2.guards import Bucket, Budget, Capacity, Rate
from tests.http2.peer import (
    BLOCK,
    CALL,
    Server,
    call,
    credit,
    data,
    frame,
    framed,
    messages,
    reset,
    say,
    settings,
    settled,
    trailers,
)

GROWTH_BYTES = 20 * 1024 * 1024


@pytest.fixture
def bounded() -> Iterator[None]:
    """Let nothing that an attack leaves behind be larger than it may."""
    gc.collect()
    tracemalloc.start(1)
    before = tracemalloc.get_traced_memory()[0]
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak - before < GROWTH_BYTES


def attack(server: Server, parts: Iterator[bytes], limit: int = 30_000) -> int:
    """Say these until the connection ends; return how many were heard."""
    for n, part in enumerate(parts):
        server.core.receive(part, server.now)
        if server.core.state is State.CLOSED:
            server.listen()
            return n
        if n % 64 == 0:
            server.core.take()
        assert n < limit, "nobody stops it"
    raise AssertionError


def forever(*kinds: bytes) -> Iterator[bytes]:
    while True:
        yield b"".join(kinds)


def streams(*then: bytes) -> Iterator[bytes]:
    """Open one stream after the other, each followed by frames whose stream is set."""
    stream_id = 1
    while True:
        number = pack(">L", stream_id)
        yield call(stream_id) + b"".join(part[:5] + number + part[9:] for part in then)
        stream_id += 2


def calm(server: Server) -> str:
    code, reason = server.goaway
    assert code == "ENHANCE_YOUR_CALM"
    assert server.core.streams == {}
    assert server.capacity.streams.used == 0
    return reason


# --- floods --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize(
    ("parts", "reason", "burst"),
    [
        (lambda: streams(reset(1)), "streams that end before they began", 100),
        (lambda: streams(credit(1, 0)), "streams that end before they began", 100),
        (lambda: streams(say(1, b"x"), reset(1)), "streams that end without an answer", 20_000),
        (lambda: forever(frame(FrameType.PING, payload=bytes(8))), "PING frames", 1000),
        (lambda: forever(settings()), "SETTINGS frames", 100),
        (lambda: forever(frame(FrameType.PRIORITY, 0, 1, bytes(5))), "frames that nobody", 2000),
        (lambda: forever(frame(0x77)), "frames that nobody follows", 2000),
        (lambda: forever(call(1)[:0] + data(1, b"")), "empty DATA frames", 200),
        (lambda: forever(data(1, b"", padding=200)), "empty DATA frames", 200),
    ],
)
def test_a_flood_ends_the_connection(parts: object, reason: str, burst: int) -> None:
    server = settled()
    if "DATA" in reason:
        server.hear(call(1))
    assert callable(parts)
    heard = attack(server, parts())
    assert reason in calm(server)
    assert burst * 0.95 <= heard <= burst * 1.05


@pytest.mark.usefixtures("bounded")
def test_refused_streams_are_counted() -> None:
    server = settled(max_concurrent_streams=1)
    server.hear(call(1))
    opened = streams()
    next(opened)
    attack(server, opened)
    assert "beyond the limit" in calm(server)


def test_trailers_for_streams_that_are_over_are_counted() -> None:
    server = settled()
    server.hear(call(1))
    server.core.end(1)
    attack(server, forever(frame(FrameType.HEADERS, 5, 1, b"\x00\x01x\x01y")))
    assert "headers for streams that are over" in calm(server)


def test_requests_that_are_no_calls_are_counted() -> None:
    server = settled()
    block = hpack.encode(*(dict(CALL) | {b":method": b"GET"}).items())
    gets = (frame(FrameType.HEADERS, 5, n, block) for n in range(1, 10**6, 2))
    attack(server, gets)
    assert "requests that are no calls" in calm(server)


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize("size", [0, 1, 16_000])
def test_headers_without_end_are_bounded_before_they_are_decoded(size: int) -> None:
    server = settled()
    server.hear(frame(FrameType.HEADERS, 0, 1, BLOCK))
    heard = attack(server, forever(frame(FrameType.CONTINUATION, 0, 1, b"\x00" * size)))
    assert heard <= guards.MAX_CONTINUATIONS
    assert calm(server) == "too many headers"


# An entry of the table of 4 KB, and one octet for each use of it.
ENTRY = b"\x40\x01a\x7f\xa1\x1e" + b"x" * 4000
USE = b"\xbe"


def test_headers_that_are_too_long_cost_their_call_and_no_more() -> None:
    server = settled()
    server.hear(frame(FrameType.HEADERS, 4, 1, BLOCK + ENTRY))
    events = server.hear(frame(FrameType.HEADERS, 4, 3, BLOCK + USE * 20))
    assert events == []
    assert trailers(server.said, 3)["grpc-status"] == "8"
    assert server.hear(say(1, b"still here")) == [Message(1, b"still here")]


@pytest.mark.usefixtures("bounded")
def test_a_bomb_of_headers_ends_the_connection_before_it_is_read_to_its_end() -> None:
    server = settled()
    server.hear(frame(FrameType.HEADERS, 4, 1, BLOCK + ENTRY))
    broken = b"\xff\x80"  # of which nobody comes to hear
    events = server.hear(frame(FrameType.HEADERS, 4, 3, BLOCK + USE * 16_000 + broken))
    assert [type(event) for event in events] == [Gone]
    assert calm(server) == "far too many headers"


@pytest.mark.usefixtures("bounded")
def test_headers_that_are_too_long_are_counted() -> None:
    server = settled()
    server.hear(frame(FrameType.HEADERS, 4, 1, BLOCK + ENTRY))
    blocks = (frame(FrameType.HEADERS, 4, n, BLOCK + USE * 20) for n in range(3, 100, 2))
    assert attack(server, blocks) == 5  # the first was 0
    assert "lists of too many headers" in calm(server)


# --- memory --------------------------------------------------------------------------------------


def large(stream_id: int) -> bytes:
    """A message of 60,000 bytes, in frames as long as they may be."""
    whole = framed(bytes(60_000))
    return b"".join(data(stream_id, whole[n : n + 16_384]) for n in range(0, len(whole), 16_384))


@pytest.mark.usefixtures("bounded")
def test_a_peer_that_never_opens_its_window_cannot_make_the_queue_grow() -> None:
    server = settled()
    server.hear(settings((4, 0)))
    for stream_id in range(1, 4001, 2):
        for event in server.hear(call(stream_id), large(stream_id)):
            if isinstance(event, Message):
                server.core.send(event.stream_id, event.data)
        server.said.clear()
    assert server.core.out.queued <= guards.CONNECTION_QUEUE_BYTES + 60_005
    assert server.core.streams
    assert server.capacity.unheard.used <= guards.UNHEARD_BYTES


def test_one_answer_may_be_as_long_as_it_likes() -> None:
    server = settled()
    server.hear(call(1), say(1, b"a"))
    server.core.send(1, bytes(2 * guards.CONNECTION_QUEUE_BYTES))
    server.hear(frame(FrameType.PING, payload=bytes(8)))
    assert 1 in server.core.streams


def test_the_stream_that_has_waited_longest_ends_first() -> None:
    server = settled()
    for stream_id in (1, 3, 5):
        server.now += 1
        server.hear(call(stream_id), say(stream_id, b"a"))
        server.core.send(stream_id, bytes(guards.CONNECTION_QUEUE_BYTES // 2 - 100))
    assert server.hear(frame(FrameType.PING, payload=bytes(8))) == [Gone(1)]
    assert sorted(server.core.streams) == [3, 5]


def test_parts_of_messages_are_bounded_for_the_process() -> None:
    capacity = Capacity()
    capacity.assembly.limit = 100_000
    servers = [Server(capacity) for _ in range(2)]
    begun = b"\0" + (90_000).to_bytes(4, "big")
    for server in servers:
        server.hear(frames.PREFACE + settings(), call(1), data(1, begun + bytes(16_000)))
        server.hear(*(data(1, bytes(16_000)) for _ in range(3)))
    one, other = servers
    assert trailers(other.said, 1)["grpc-status"] == "8"
    assert one.hear(data(1, bytes(16_000)), data(1, bytes(10_000))) == [Message(1, bytes(90_000))]
    assert capacity.assembly.used == 0


def test_what_is_held_is_given_back_when_the_connection_is_lost() -> None:
    server = settled()
    server.hear(settings((4, 0)), call(1), call(3), data(3, b"\0\0\0\0\x09half"))
    server.hear(say(1, b"a"))
    server.core.send(1, bytes(guards.STREAM_QUEUE_BYTES + 1))
    server.hear(say(1, b"unheard"))
    assert (server.capacity.assembly.used, server.capacity.unheard.used) == (9, 7)
    server.core.abandon()
    capacity = server.capacity
    assert (capacity.assembly.used, capacity.unheard.used, capacity.streams.used) == (0, 0, 0)
    assert server.core.out.queued == 0


def test_more_than_the_window_is_an_error_of_its_stream() -> None:
    server = settled()
    server.hear(settings((4, 0)), call(1), say(1, b"a"))
    server.core.send(1, bytes(guards.STREAM_QUEUE_BYTES + 1))
    server.capacity.unheard.limit = 2**40
    chunk = data(1, b"\0\0\0\x3f\xfb" + bytes(16_379))
    for _ in range(guards.STREAM_WINDOW // 16_384 + 1):
        server.hear(chunk)
        server.said = server.said[-3:]
    assert server.said[-1].kind == FrameType.RST_STREAM
    assert server.said[-1].code == 3
    assert server.core.state is State.OPEN


def test_ten_thousand_idle_streams_stay() -> None:
    server = settled()
    gc.collect()
    tracemalloc.start(1)
    for stream_id in range(1, 20_001, 2):
        server.core.receive(call(stream_id) + say(stream_id, b"x"), server.now)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(server.core.streams) == 10_000
    assert held / 10_000 < 1_000
    assert server.tick(20.0) == []


# --- honest peers --------------------------------------------------------------------------------


def test_an_envoy_that_resets_every_stream_is_never_cut() -> None:
    """As every Envoy does: the stream is answered, and then reset."""
    server = settled()
    for stream_id in range(1, 100_001, 2):
        server.core.receive(call(stream_id) + say(stream_id, b"x"), server.now)
        server.core.send(stream_id, b"y")
        assert server.core.receive(reset(stream_id), server.now) == [Gone(stream_id)]
        server.core.take()
    assert server.core.state is State.OPEN


def test_an_envoy_all_of_whose_clients_give_up_is_never_cut() -> None:
    """A thousand a second for a minute, before their answers; and ten thousand at one moment."""
    server = settled()
    ids = iter(range(1, 10**6, 2))
    for _ in range(60):
        server.now += 1.0
        for stream_id in (next(ids) for _ in range(1000)):
            events = server.core.receive(
                call(stream_id) + say(stream_id, b"x") + reset(stream_id), server.now
            )
            assert [type(event) for event in events] == [Opened, Message, Gone]
        server.core.take()
    waiting = [next(ids) for _ in range(10_000)]
    for stream_id in waiting:
        server.core.receive(call(stream_id) + say(stream_id, b"x"), server.now)
    for stream_id in waiting:
        server.core.receive(reset(stream_id), server.now)
    assert server.core.state is State.OPEN


def test_a_client_that_measures_its_way_is_never_cut() -> None:
    """grpcio sends a PING for each round trip while it receives, and changes its window."""
    server = settled()
    for n in range(3000):
        server.now += 0.01
        server.hear(frame(FrameType.PING, payload=bytes(8)))
        if n % 20 == 0:
            server.hear(settings((4, 65_535 + n)))
    assert server.core.state is State.OPEN


def test_a_burst_may_come_again_after_a_while() -> None:
    server = settled()
    for _ in range(5):
        for _ in range(900):
            server.hear(frame(FrameType.PING, payload=bytes(8)))
        server.said.clear()
        server.now += 10.0
    assert server.core.state is State.OPEN


def test_others_do_not_feel_an_attack() -> None:
    capacity = Capacity()
    honest, hostile = Server(capacity), Server(capacity)
    for server in (honest, hostile):
        server.hear(frames.PREFACE + settings())
    honest.hear(call(1))
    attack(hostile, streams(reset(1)))
    honest.hear(say(1, b"x"))
    honest.core.send(1, b"y")
    honest.listen()
    assert messages(honest.said, 1) == [b"y"]


# --- their parts ---------------------------------------------------------------------------------


def test_a_bucket_leaks() -> None:
    bucket = Bucket(Rate("things", 2, 1.0))
    assert [bucket.add(0.0) for _ in range(3)] == [True, True, False]
    assert not bucket.add(0.5)
    assert bucket.add(5.0)


def test_a_budget_is_for_all() -> None:
    budget = Budget(10)
    assert budget.take(7)
    assert not budget.take(4)
    budget.give_back(1)
    assert budget.take(4)
    assert repr(budget) == "<Budget 10 of 10>"
