from __future__ import annotations

import pytest

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.scheduling.kv.feeds import Feeds, Known
from tests.scheduling.kv.recorded import batch, messages, prompts, stored, tokens

A, B, C = (Endpoint(f"10.0.0.{n}:8000", load=Load(at=0.0, blocks=2)) for n in (1, 2, 3))
POOL = [A, B, C]


@pytest.fixture
def feeds() -> Feeds:
    return Feeds(1000)


def known(feeds: Feeds, ids: list[int], salt: str = "") -> Known:
    return feeds.known(tokens(ids), "llama", salt, POOL)


def test_a_real_prompt_is_known_where_it_was_stored(feeds: Feeds) -> None:
    for message in messages():
        feeds.of(A.address).take(message.number, message.batch)
    feeds.of(B.address).caught_up()
    ids = prompts()[-1]
    found = known(feeds, [*ids, 1])
    assert found.live == {A.address, B.address}
    assert found.matched == {A.address: len(ids)}
    assert found.whole == {A.address}
    assert A.address in found.first_keys
    assert known(feeds, [*ids, *range(128)]).whole == frozenset()


def test_servers_may_have_blocks_of_different_sizes(feeds: Feeds) -> None:
    feeds.of(A.address).take(0, batch(stored([1, 2], range(8))))
    feeds.of(B.address).take(0, batch(stored([1], range(6), size=6)))
    assert known(feeds, list(range(13))).matched == {A.address: 8, B.address: 6}


def test_a_salted_prompt_is_found_by_its_salt_alone(feeds: Feeds) -> None:
    feeds.of(A.address).take(0, batch(stored([1], range(4), extra_keys=[["tenant"]])))
    assert known(feeds, list(range(4)), "tenant").matched == {A.address: 4}
    assert known(feeds, list(range(4)), "other").matched == {}
    assert known(feeds, list(range(4))).matched == {}


def test_what_is_known_in_part_is_told_and_not_called_known(feeds: Feeds) -> None:
    feeds.of(A.address).resume(5, batch(stored([1], range(4))))
    found = known(feeds, list(range(8)))
    assert found.matched == {A.address: 4}
    assert found.live == frozenset()
    feeds.of(A.address).take(6, batch(stored([2], range(9, 13))))
    assert known(feeds, list(range(8))).live == {A.address}  # it has room for two


def test_what_is_lost_is_not_told(feeds: Feeds) -> None:
    feeds.of(A.address).take(0, batch(stored([1], range(4))))
    feeds.of(A.address).lose()
    assert known(feeds, list(range(4))) == Known()


def test_an_endpoint_that_left_is_forgotten(feeds: Feeds) -> None:
    feeds.of(A.address).take(0, batch(stored([1], range(4))))
    feeds.forget(A.address)
    assert known(feeds, list(range(4))) == Known()
    assert feeds.all() == []
    assert len(feeds.index) == 0


def test_made_up_sizes_do_not_fill_the_memory(feeds: Feeds) -> None:
    for size in range(1, 40):
        feeds.of(A.address).begin()
        feeds.of(A.address).take(0, batch(stored([1], range(size), size=size)))
        known(feeds, list(range(40)))
    assert len(feeds._hashers) < 10
