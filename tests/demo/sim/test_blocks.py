from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from epp.demo.sim.blocks import BlockCache


def filled(cache: BlockCache, *keys: int) -> list[int]:
    """Hold one block for each key and publish it."""
    blocks = cache.allocate(len(keys))
    assert blocks is not None
    for block, key in zip(blocks, keys, strict=True):
        cache.publish(block, key)
    return blocks


def test_a_published_block_is_matched_while_held_and_after() -> None:
    cache = BlockCache(4)
    blocks = filled(cache, 1, 2)
    assert cache.match([1, 2, 3]) == blocks
    cache.release(blocks)
    assert cache.match([1, 2, 3]) == blocks
    assert (cache.held, cache.cached) == (0, 2)


def test_a_match_ends_at_the_first_gap() -> None:
    cache = BlockCache(4)
    first, _ = filled(cache, 1, 3)
    assert cache.match([1, 2, 3]) == [first]


def test_a_shared_block_is_free_when_its_last_holder_leaves() -> None:
    cache = BlockCache(4)
    mine = filled(cache, 1)
    yours = cache.allocate(1, shared=mine)
    assert yours is not None
    cache.release(mine)
    assert cache.held == 2
    cache.release(yours)
    assert cache.held == 0


def test_allocation_is_all_or_nothing() -> None:
    cache = BlockCache(3)
    cached = filled(cache, 1, 2)
    cache.release(cached)
    assert cache.allocate(2, shared=cached) is None
    assert (cache.held, cache.match([1, 2])) == (0, cached)
    assert cache.allocate(1, shared=cached) is not None


def test_blocks_that_were_never_used_go_first_and_then_the_least_recently_released() -> None:
    cache = BlockCache(3)
    old, young = filled(cache, 1), filled(cache, 2)
    cache.release(old)
    cache.release(young)
    cache.allocate(1)
    assert cache.cached == 2
    cache.allocate(1)
    assert (cache.match([1]), cache.match([2])) == ([], young)


def test_a_match_makes_a_block_young_again() -> None:
    cache = BlockCache(2)
    first, second = filled(cache, 1), filled(cache, 2)
    cache.release(first)
    cache.release(second)
    again = cache.allocate(0, shared=first)
    assert again == first
    cache.release(again)
    cache.allocate(1)
    assert (cache.match([1]), cache.match([2])) == (first, [])


def test_of_one_request_the_tail_goes_first() -> None:
    cache = BlockCache(2)
    blocks = filled(cache, 1, 2)
    cache.release(blocks)
    cache.allocate(1)
    assert cache.match([1, 2]) == blocks[:1]


def test_a_block_without_a_key_is_as_good_as_never_used() -> None:
    cache = BlockCache(2)
    kept = filled(cache, 1)
    unfinished = cache.allocate(1)
    assert unfinished is not None
    cache.release(kept)
    cache.release(unfinished)
    assert cache.allocate(1) == unfinished


def test_the_second_block_under_a_key_stays_private() -> None:
    cache = BlockCache(2)
    first = filled(cache, 1)
    filled(cache, 1)
    assert cache.match([1]) == first
    assert cache.cached == 1


class Holders(RuleBasedStateMachine):
    """Requests come, share, publish and go in any order: the books always balance."""

    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.cache = BlockCache(8)
        self.held: Counter[int] = Counter()

    @rule(target=requests, keys=st.lists(st.integers(0, 5), max_size=4), fresh=st.integers(0, 6))
    def admit(self, keys: list[int], fresh: int) -> list[int]:
        shared = self.cache.match(list(dict.fromkeys(keys)))
        needed = fresh + sum(not self.held[block] for block in shared)
        blocks = self.cache.allocate(fresh, shared)
        assert (blocks is None) == (needed > 8 - sum(count > 0 for count in self.held.values()))
        if blocks is None:
            return []
        assert not any(self.held[block] for block in blocks[len(shared) :])
        self.held.update(blocks)
        return blocks

    @rule(request=requests, key=st.integers(0, 5))
    def publish(self, request: list[int], key: int) -> None:
        if request:
            self.cache.publish(request[-1], key)

    @rule(request=requests)
    def leave(self, request: list[int]) -> None:
        self.cache.release(request)
        self.held.subtract(request)
        request.clear()

    @invariant()
    def nothing_leaks(self) -> None:
        assert self.cache.held == sum(count > 0 for count in self.held.values())
        assert min(self.held.values(), default=0) >= 0
        assert self.cache.cached <= self.cache.capacity


TestHolders = Holders.TestCase
TestHolders.settings = settings(max_examples=50, stateful_step_count=30)
