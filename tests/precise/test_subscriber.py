"""With real sockets, and what a real vLLM published."""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from epp.pool.endpoint import Endpoint
from epp.scheduling.kv.feed import Phase
from tests.precise.listening import A, Listening, listening
from tests.precise.publisher import Publisher
from tests.scheduling.kv.recorded import Message, messages, payload, prompts, stored, tokens

RECORDED = messages()


async def send(publisher: Publisher, *recorded: Message) -> None:
    for message in recorded:
        await publisher.send(message.number, bytes.fromhex(message.payload_hex))


def lose(publisher: Publisher, *recorded: Message) -> None:
    for message in recorded:
        publisher.lose(message.number, bytes.fromhex(message.payload_hex))


def ports(publisher: Publisher, *, replay: bool = True) -> dict[str, Any]:
    given = {"socketPort": publisher.port, "replaySocketPort": publisher.replay_port}
    return given if replay else {"socketPort": publisher.port}


@asynccontextmanager
async def connected(
    publisher: Publisher, *, replay: bool = True, **settings: Any
) -> AsyncIterator[Listening]:
    config = {"podDiscoveryConfig": ports(publisher, replay=replay), **settings}
    async with listening(**config) as one:
        await publisher.subscribed()
        if replay:
            await one.until(lambda: one.tally.replays[A.address] > 0)
        yield one


async def test_a_real_stream_is_followed_to_its_last_block() -> None:
    async with Publisher() as publisher, connected(publisher, replay=False) as one:
        await send(publisher, *RECORDED)
        await one.until(lambda: one.feed.messages == len(RECORDED))
        assert one.feed.phase() is Phase.LIVE
        for ids in prompts():
            found = one.feeds.known(tokens([*ids, 1]), "tiny", "", [A])
            assert found.matched == {A.address: len(ids)}


async def test_what_came_before_the_connection_is_replayed() -> None:
    async with Publisher() as publisher:
        lose(publisher, *RECORDED[:10])
        async with connected(publisher) as one:
            assert publisher.asked == [0]
            assert one.feed.phase() is Phase.LIVE
            await send(publisher, *RECORDED[10:])
            await one.until(lambda: one.blocks() == 20)
            assert one.feed.gaps == 0
            assert one.tally.replayed[A.address] == 10


async def test_a_server_that_has_cached_nothing_is_known_to_have_nothing() -> None:
    async with Publisher() as publisher, connected(publisher) as one:
        assert one.feed.phase() is Phase.LIVE
        assert one.blocks() == 0


async def test_a_gap_is_closed_by_a_replay() -> None:
    async with Publisher() as publisher, connected(publisher) as one:
        await send(publisher, *RECORDED[:4])
        lose(publisher, *RECORDED[4:9])
        await send(publisher, *RECORDED[9:])
        await one.until(lambda: one.feed.messages == 13)
        assert publisher.asked == [0, 4]
        assert one.blocks() == 20
        assert one.feed.phase() is Phase.LIVE
        assert one.feed.gaps == 0


async def test_a_gap_that_no_replay_closes_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    async with Publisher() as publisher, connected(publisher, replay=False) as one:
        await send(publisher, RECORDED[0], RECORDED[3])
        await one.until(lambda: one.feed.messages == 2)
        assert one.feed.phase() is Phase.PARTIAL
        assert one.feed.gaps == 1
        assert "KV events are missing" in caplog.text


async def test_a_replay_that_goes_back_too_little_is_a_gap() -> None:
    async with Publisher(kept=3) as publisher:
        lose(publisher, *RECORDED[:10])
        async with connected(publisher) as one:
            assert one.feed.phase() is Phase.PARTIAL
            assert one.feed.messages == 3


async def test_a_server_that_starts_again_is_heard_from_its_beginning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with AsyncExitStack() as life, AsyncExitStack() as other:
        publisher = await life.enter_async_context(Publisher())
        one = await other.enter_async_context(connected(publisher))
        await send(publisher, *RECORDED)
        await one.until(lambda: one.blocks() == 20)
        await life.aclose()
        await one.until(lambda: one.feed.phase() is Phase.LOST)
        assert "the connection is lost" in caplog.text
        again = Publisher("127.0.0.1", publisher.port, publisher.replay_port)
        again.lose(0, payload(stored([1], range(4)), ts=2e9))
        await other.enter_async_context(again)
        await one.until(lambda: one.blocks() == 1)
        await one.until(lambda: one.feed.phase() is Phase.LIVE)
        assert one.tally.connections[A.address] == 2


async def test_a_server_that_counts_from_0_again_has_started_again() -> None:
    async with Publisher() as publisher, connected(publisher, replay=False) as one:
        await send(publisher, *RECORDED)
        await publisher.send(0, payload(stored([1], range(4)), ts=2e9))
        await one.until(lambda: one.feed.restarts == 1)
        assert one.blocks() == 1


async def test_an_endpoint_that_left_is_listened_to_no_longer() -> None:
    async with Publisher() as publisher, connected(publisher) as one:
        await send(publisher, *RECORDED[:3])
        await one.until(lambda: one.blocks() > 0)
        one.publish()
        assert one.feeds.all() == []
        assert len(one.feeds.index) == 0
        one.publish(A)
        await one.until(lambda: one.blocks() == 6)
        assert publisher.asked == [0, 0]


async def test_a_topic_that_was_not_expected_is_an_error_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    publisher = Publisher(topic=b"")
    async with publisher, connected(publisher, replay=False, topicFilter="kv@") as one:
        await send(publisher, *RECORDED[:3])
        await one.until(lambda: one.tally.unmatched == 3)
        errors = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
        assert errors == [
            'KV events of pod-a have the topic "", and topicFilter is "kv@": they are ignored'
        ]
        assert one.feed.phase() is Phase.SILENT


async def test_a_connection_says_whose_events_they_are_whatever_their_topic() -> None:
    publisher = Publisher(topic=b"")
    async with publisher, connected(publisher, replay=False) as one:
        await send(publisher, RECORDED[0])
        await one.until(lambda: one.blocks() == 2)


@pytest.mark.parametrize(
    "frames",
    [
        (b"kv@a@b",),
        (b"kv@a@b", b"\x00" * 8),
        (b"kv@a@b", b"\x00", payload()),
        (b"kv@a@b", b"\x00" * 8, b"\xc1garbage"),
        (b"kv@a@b", b"\x00" * 8, payload(), b"more"),
    ],
)
async def test_garbage_is_counted_and_the_stream_goes_on(frames: tuple[bytes, ...]) -> None:
    async with Publisher() as publisher, connected(publisher, replay=False) as one:
        await publisher.send_frames(*frames)
        await send(publisher, RECORDED[0])
        await one.until(lambda: one.blocks() == 2)
        assert one.tally.garbage[A.address] == 1


async def test_events_that_are_not_known_are_counted_and_the_others_count() -> None:
    async with Publisher() as publisher, connected(publisher, replay=False) as one:
        await publisher.send(0, payload(["BlockMoved"], stored([1], range(4)), {"type": "New"}))
        await one.until(lambda: one.blocks() == 1)
        assert one.feed.unknown == 2


async def test_the_servers_of_a_pod_have_ports_that_follow_each_other() -> None:
    port = two_free_ports()
    async with Publisher(port=port) as first, Publisher(port=port + 1) as second:
        b = Endpoint("127.0.0.1:8001", rank=1)
        async with listening(A, b, podDiscoveryConfig=ports(first, replay=False)) as one:
            await first.subscribed()
            await second.subscribed()
            await second.send(0, payload(stored([1], range(4))))
            await one.until(lambda: one.blocks(b) == 1)
            assert one.blocks(A) == 0


def two_free_ports() -> int:
    """Return a port that is free, as the next one is."""
    while True:
        with socket.socket() as one, socket.socket() as next_one:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            try:
                next_one.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):  # taken, or there is none
                continue
            return port


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_servers_that_connect_are_told_apart_by_their_topics() -> None:
    b = Endpoint("10.0.0.2:8000", name="default/pod-b")
    url = f"tcp://127.0.0.1:{free_port()}"
    async with (
        listening(A, b, discoverPods=False, zmqEndpoint=url) as one,
        Publisher(connect=url) as first,
        Publisher(connect=url, topic=b"kv@pod-b@tiny") as second,
    ):
        for publisher in (first, second):
            await publisher.subscribed()
        await send(first, *RECORDED[:3])
        await second.send(0, payload(stored([1], range(4))))
        await one.until(lambda: one.blocks(A) == 6 and one.blocks(b) == 1)
        assert one.feed.phase() is Phase.LIVE


async def test_a_topic_that_belongs_to_nobody_is_an_error_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    url = f"tcp://127.0.0.1:{free_port()}"
    async with (
        listening(discoverPods=False, zmqEndpoint=url) as one,
        Publisher(connect=url, topic=b"kv@10.9.9.9:8000@tiny") as stranger,
    ):
        await stranger.subscribed()
        await send(stranger, *RECORDED[:3])
        await stranger.send_frames(b"kv@127.0.0.1@tiny", b"\x00" * 8, b"garbage")
        await one.until(lambda: one.tally.unmatched == 3 and one.tally.garbage[""] == 1)
        errors = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
        assert len(errors) == 1
        assert '"kv@10.9.9.9:8000@tiny" belong to no endpoint' in errors[0]


async def test_an_address_that_is_taken_is_an_error_that_is_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        async with listening(discoverPods=False, zmqEndpoint=url) as one:
            await one.until(lambda: one.tally.errors["bind"] > 0)
            assert f"KV events cannot come in at {url}" in caplog.text


async def test_the_servers_clock_tells_how_late_events_are() -> None:
    async with Publisher() as publisher, connected(publisher, replay=False) as one:
        await send(publisher, RECORDED[0])
        await one.until(lambda: one.blocks() == 2)
        now = one.subscriber._wall()
        assert one.feed.lag_s == pytest.approx(now - RECORDED[0].batch.ts, abs=5.0)
