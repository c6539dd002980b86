from __future__ import annotations

from collections import OrderedDict

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from epp.scheduling.prefix.blocks import BlockHasher
from epp.scheduling.prefix.cut import Cut
from epp.scheduling.prefix.index import PrefixIndex

CUT = Cut(1)


def chain(prompt: str) -> list[int]:
    """One block for each letter."""
    return BlockHasher(CUT, 99, 99).hashes(prompt, 0)[0]


@pytest.fixture
def index() -> PrefixIndex:
    return PrefixIndex(1000, CUT)


def test_an_empty_index_matches_nothing(index: PrefixIndex) -> None:
    assert index.match(chain("abc")) == {}
    assert index.match([]) == {}
    assert index.blocks_of("a:1") == 0


def test_each_endpoint_matches_as_deep_as_it_goes(index: PrefixIndex) -> None:
    index.insert("a:1", chain("abcdef"), 99)
    index.insert("b:1", chain("abc"), 99)
    index.insert("c:1", chain("abcxyz"), 99)
    index.insert("d:1", chain("xyz"), 99)
    assert index.match(chain("abcdeg")) == {"a:1": 5, "b:1": 3, "c:1": 3}
    assert index.match(chain("abcdef")) == {"a:1": 6, "b:1": 3, "c:1": 3}


def test_the_same_endpoints_match_at_another_depth_of_another_prompt(index: PrefixIndex) -> None:
    for prompt in ("abc", "xy"):
        for address in ("a:1", "b:1"):
            index.insert(address, chain(prompt), 99)
    for _ in range(2):
        found = index.match(chain("abcd"))
        assert found == {"a:1": 3, "b:1": 3}
        found.own["a:1"] = 99  # the answer is the asker's own
        assert index.match(chain("xyz")) == {"a:1": 2, "b:1": 2}


def test_what_was_used_last_stays(index: PrefixIndex) -> None:
    index.insert("a:1", chain("ab"), 4)
    index.insert("a:1", chain("xy"), 4)
    index.insert("a:1", chain("ab"), 4)
    index.insert("a:1", chain("pq"), 4)
    assert index.match(chain("ab")) == {"a:1": 2}
    assert index.match(chain("xy")) == {}


def test_the_end_of_a_prompt_goes_before_its_beginning(index: PrefixIndex) -> None:
    index.insert("a:1", chain("abcd"), 5)
    index.insert("a:1", chain("xyz"), 5)
    assert index.match(chain("abcd")) == {"a:1": 2}
    assert index.match(chain("xyz")) == {"a:1": 3}


def test_of_a_prompt_larger_than_the_cache_the_beginning_is_kept(index: PrefixIndex) -> None:
    index.insert("a:1", chain("abcdef"), 4)
    assert index.match(chain("abcdef")) == {"a:1": 4}


def test_a_cache_that_turns_out_smaller_is_cut(index: PrefixIndex) -> None:
    index.insert("a:1", chain("abcdef"), 99)
    index.insert("a:1", chain("x"), 3)
    assert index.blocks_of("a:1") == len(index) == 3


def test_over_the_limit_the_endpoint_with_the_most_blocks_gives_way() -> None:
    index = PrefixIndex(8, CUT)
    index.insert("a:1", chain("abcdef"), 99)
    index.insert("b:1", chain("ab"), 99)
    index.insert("c:1", chain("xyz"), 99)
    assert [index.blocks_of(a) for a in ("a:1", "b:1", "c:1")] == [3, 2, 3]
    assert len(index) == 8


def test_over_the_limit_several_endpoints_give_way_if_one_is_not_enough() -> None:
    index = PrefixIndex(4, CUT)
    index.insert("a:1", chain("ab"), 99)
    index.insert("b:1", chain("ab"), 99)
    index.insert("c:1", chain("abcdefgh"), 99)
    assert len(index) == 4
    assert index.match(chain("abcd")) == {"a:1": 2, "b:1": 2}


def test_an_endpoint_that_is_dropped_leaves_nothing(index: PrefixIndex) -> None:
    index.insert("a:1", chain("abc"), 99)
    index.insert("b:1", chain("ab"), 99)
    index.drop("a:1")
    assert index.match(chain("abc")) == {"b:1": 2}
    assert (len(index), index.blocks_of("a:1")) == (2, 0)


def test_an_endpoint_that_was_never_seen_can_be_dropped(index: PrefixIndex) -> None:
    index.drop("a:1")
    assert len(index) == 0


def test_bits_are_used_again_so_that_churn_does_not_widen_the_masks(index: PrefixIndex) -> None:
    for number in range(100):
        index.insert(f"{number}:1", chain("ab"), 99)
        index.insert("stays:1", chain("ab"), 99)
        index.drop(f"{number}:1")
    index.insert("last:1", chain("ab"), 99)
    assert index.match(chain("ab")) == {"stays:1": 2, "last:1": 2}
    assert max(mask for shard in index._holders for mask in shard.values()) < 4


def test_many_endpoints_are_told_apart(index: PrefixIndex) -> None:
    prompt = chain("abcdefghij")
    for number in range(70):
        index.insert(f"{number}:1", prompt[: number % 10 + 1], 99)
    assert index.match(prompt) == {f"{number}:1": number % 10 + 1 for number in range(70)}


def test_the_index_says_how_full_it_is(index: PrefixIndex) -> None:
    index.insert("a:1", chain("abc"), 99)
    assert repr(index) == "<PrefixIndex 3 entries of 1 endpoints>"


def test_a_cache_is_filled_by_the_size_of_blocks_and_not_by_their_number() -> None:
    index = PrefixIndex(1000, Cut(1, fine=2))  # sizes 1, 1, 4, 4, ...
    index.insert("a:1", chain("abcdef"), 10)
    assert index.match(chain("abcdef")) == {"a:1": 4}
    index.insert("a:1", chain("x"), 10)
    assert index.match(chain("abcdef")) == {"a:1": 3}


ADDRESSES = st.sampled_from([f"{letter}:1" for letter in "abcde"])
PROMPTS = st.text("xy", min_size=1, max_size=8)
MAX_ENTRIES = 24
SIZES = Cut(1, fine=3)


class IndexEqualsPlainLists(RuleBasedStateMachine):
    """The index against one ordinary LRU list for each endpoint, searched block by block."""

    def __init__(self) -> None:
        super().__init__()
        self.index = PrefixIndex(MAX_ENTRIES, SIZES)
        self.model: dict[str, OrderedDict[int, int]] = {}

    @rule(address=ADDRESSES, prompt=PROMPTS, capacity=st.integers(1, 12))
    def insert(self, address: str, prompt: str, capacity: int) -> None:
        self.index.insert(address, chain(prompt), capacity)
        blocks = self.model.setdefault(address, OrderedDict())
        fitting = list(enumerate(chain(prompt)))[: SIZES.count(capacity)]
        for number, block in reversed(fitting):
            blocks[block] = SIZES.size_at(number)
            blocks.move_to_end(block)
        while sum(blocks.values()) > capacity:
            blocks.popitem(last=False)
        while (excess := sum(map(len, self.model.values())) - MAX_ENTRIES) > 0:
            fullest = max(self.model.values(), key=len)
            for _ in range(min(excess, len(fullest))):
                fullest.popitem(last=False)

    @rule(address=ADDRESSES)
    def drop(self, address: str) -> None:
        self.index.drop(address)
        self.model.pop(address, None)

    @rule(prompt=PROMPTS)
    def match(self, prompt: str) -> None:
        wanted = {}
        for address, blocks in self.model.items():
            depth = 0
            for block in chain(prompt):
                if block not in blocks:
                    break
                depth += 1
            if depth:
                wanted[address] = depth
        assert self.index.match(chain(prompt)) == wanted

    @invariant()
    def same_size(self) -> None:
        assert len(self.index) == sum(map(len, self.model.values())) <= MAX_ENTRIES
        assert all(self.index.blocks_of(a) == len(blocks) for a, blocks in self.model.items())

    @invariant()
    def no_empty_entry_is_left(self) -> None:
        held = {block for blocks in self.model.values() for block in blocks}
        masks = {block: mask for shard in self.index._holders for block, mask in shard.items()}
        assert set(masks) == held
        assert all(masks.values())


TestIndexEqualsPlainLists = IndexEqualsPlainLists.TestCase
TestIndexEqualsPlainLists.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None
)
