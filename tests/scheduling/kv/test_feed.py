from __future__ import annotations

import pytest

from epp.scheduling.kv.feed import Feed, Phase
from epp.scheduling.kv.index import KvIndex
from tests.scheduling.kv.recorded import batch, messages, stored

A = "10.0.0.1:8000"


@pytest.fixture
def feed() -> Feed:
    return Feed(A, KvIndex(100))


def blocks(feed: Feed) -> int:
    return feed._index.blocks_of(A)


def test_a_real_stream_is_live_from_its_first_message(feed: Feed) -> None:
    assert feed.phase() is Phase.SILENT
    assert [feed.take(m.number, m.batch) for m in messages()] == [None] * 13
    assert feed.phase() is Phase.LIVE
    assert blocks(feed) == feed.applied.stored == 20


def test_a_gap_asks_for_what_is_missing_and_changes_nothing(feed: Feed) -> None:
    told = messages()
    for message in told[:3]:
        feed.take(message.number, message.batch)
    held = blocks(feed)
    assert feed.take(7, told[7].batch) == 3
    assert blocks(feed) == held


def test_a_replay_closes_a_gap_and_repetitions_are_dropped(feed: Feed) -> None:
    told = messages()
    for message in (told[0], *told[1:9], *told[5:13]):
        assert feed.take(message.number, message.batch) is None
    assert blocks(feed) == 20
    assert feed.repeated == 4
    assert feed.gaps == 0


def test_after_a_gap_that_stays_open_only_what_follows_is_known(feed: Feed) -> None:
    told = messages()
    feed.take(0, told[0].batch)
    feed.resume(7, told[7].batch)
    assert feed.phase() is Phase.PARTIAL
    assert feed.gaps == 1
    assert blocks(feed) == 1
    assert feed.take(8, told[8].batch) is None
    assert feed.phase(capacity_blocks=None) is Phase.PARTIAL


def test_a_cache_that_was_filled_since_the_gap_is_known_again(feed: Feed) -> None:
    told = messages()
    feed.resume(7, told[7].batch)
    feed.take(8, told[8].batch)
    assert feed.phase(capacity_blocks=3) is Phase.PARTIAL
    feed.take(9, told[9].batch)
    assert feed.phase(capacity_blocks=3) is Phase.LIVE


def test_a_server_that_starts_again_has_an_empty_cache(feed: Feed) -> None:
    feed.take(0, batch(stored([1], range(4)), ts=10.0))
    feed.take(1, batch(stored([2], range(4, 8), parent=1), ts=11.0))
    assert feed.take(0, batch(stored([9], range(4)), ts=20.0)) is None
    assert blocks(feed) == 1
    assert feed.restarts == 1
    assert feed.phase() is Phase.LIVE
    assert feed.take(1, batch(ts=21.0)) is None


def test_a_server_that_started_again_while_nobody_listened_is_asked_from_its_start(
    feed: Feed,
) -> None:
    for number in range(5):
        feed.take(number, batch(stored([number], range(4)), ts=10.0 + number))
    assert feed.take(3, batch(ts=30.0)) == 0
    assert blocks(feed) == 0


def test_a_server_may_count_from_1(feed: Feed) -> None:
    assert feed.take(1, batch(stored([1], range(4)))) is None
    assert feed.phase() is Phase.LIVE


def test_nothing_to_replay_means_nothing_cached(feed: Feed) -> None:
    feed.caught_up()
    assert feed.phase() is Phase.LIVE


def test_a_lost_connection_is_believed_again_when_nothing_was_missed(feed: Feed) -> None:
    feed.lose()
    assert feed.phase() is Phase.SILENT
    feed.take(0, batch(stored([1], range(4))))
    feed.lose()
    feed.take(1, batch(stored([5], range(20, 24))))  # it was under way when the connection broke
    assert feed.phase() is Phase.LOST
    feed.connected = True
    assert feed.phase() is Phase.LOST
    feed.take(2, batch(stored([2], range(4, 8), parent=1)))
    assert feed.phase() is Phase.LIVE
    assert blocks(feed) == 3


def test_more_blocks_than_fit_are_said_to_be_too_many() -> None:
    feed = Feed(A, KvIndex(1))
    feed.take(0, batch(stored([1, 2], range(8))))
    assert feed.phase() is Phase.TOO_LARGE
    feed.take(1, batch(stored([3], range(4))))
    assert feed.phase() is Phase.TOO_LARGE


def test_what_cannot_be_used_is_counted(feed: Feed) -> None:
    feed.take(0, batch(["BlockMoved"], 3, stored([1], range(3)), stored([2], range(4), parent=9)))
    assert feed.unknown == 1
    assert feed.applied.malformed == 2
    assert feed.applied.orphans == 1
    assert repr(feed) == "<Feed 10.0.0.1:8000 live, 0 blocks, next 1>"
