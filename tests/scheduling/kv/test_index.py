from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from epp.scheduling.kv.index import Applied, KvIndex
from epp.scheduling.prefix.blocks import chain
from epp.scheduling.tokens import TOKEN_BYTES, pack
from tests.scheduling.kv.recorded import CLEARED, batch, messages, prompts, removed, stored

A, B = "10.0.0.1:8000", "10.0.0.2:8000"


def match(
    index: KvIndex, ids: Sequence[int], size: int = 4, model: str = "llama"
) -> dict[str, int]:
    data = pack(ids[: len(ids) // size * size])
    return index.match([A, B], [chain(data, size * TOKEN_BYTES, index.root(model))])


def apply(index: KvIndex, address: str, *events: object) -> Applied:
    applied = Applied()
    index.apply(address, batch(*events).events, applied)
    return applied


def test_a_real_servers_prompts_are_found_to_their_last_block() -> None:
    index = KvIndex(1000)
    for message in messages():
        index.apply(A, message.batch.events, Applied())
    found = prompts()
    assert len(found) == 7
    for ids in found:
        assert match(index, [*ids, 5, 6], 128) == {A: len(ids) // 128}
        assert match(index, [ids[0] + 1, *ids[1:]], 128) == {}
    assert len(index) == index.blocks_of(A) == 20


def test_the_longest_prefix_counts_for_each_endpoint() -> None:
    index = KvIndex(1000)
    apply(index, A, stored([1, 2], range(8)))
    apply(index, B, stored([8, 9], range(8)), stored([10], range(8, 12), parent=9))
    assert match(index, range(12)) == {A: 2, B: 3}
    assert match(index, [*range(4), 99, 98, 97, 96]) == {A: 1, B: 1}


def test_a_removed_block_hides_those_behind_it() -> None:
    index = KvIndex(1000)
    apply(index, A, stored([1, 2, 3], range(12)))
    assert apply(index, A, removed(2)).removed == 1
    assert match(index, range(12)) == {A: 1}
    apply(index, A, stored([2], range(4, 8), parent=1))
    assert match(index, range(12)) == {A: 3}


def test_a_block_that_was_stored_twice_is_there_until_both_are_removed() -> None:
    index = KvIndex(1000)
    for _ in range(3):
        apply(index, A, stored([1], range(4)))
    apply(index, A, removed(1), removed(1))
    assert match(index, range(4)) == {A: 1}
    apply(index, A, removed(1))
    assert match(index, range(4)) == {}
    apply(index, A, removed(1))
    assert len(index) == 0


def test_a_block_under_two_names_is_there_until_both_are_removed() -> None:
    index = KvIndex(1000)
    apply(index, A, stored([1], range(4)), stored([2], range(4)), stored([3], range(4)))
    apply(index, A, removed(2), removed(1))
    assert match(index, range(4)) == {A: 1}
    apply(index, A, removed(3))
    assert match(index, range(4)) == {}
    assert len(index) == 0


def test_a_block_without_a_known_parent_is_an_orphan() -> None:
    index = KvIndex(1000)
    assert apply(index, A, stored([3], range(4), parent=77)).orphans == 1
    assert len(index) == 0


def test_a_cleared_cache_is_empty_for_its_endpoint_alone() -> None:
    index = KvIndex(1000)
    for address in (A, B):
        apply(index, address, stored([1], range(4)))
    apply(index, A, CLEARED)
    assert match(index, range(4)) == {B: 1}


def test_what_is_not_in_the_gpus_memory_does_not_count() -> None:
    index = KvIndex(1000)
    apply(index, A, stored([1], range(4), medium="GPU"))
    assert apply(index, A, stored([2], range(4, 8), parent=1, medium="CPU")).other_media == 1
    apply(index, A, removed(1, medium="CPU"))
    assert match(index, range(8)) == {A: 1}


def test_one_kind_of_layers_stands_for_the_prompt() -> None:
    index = KvIndex(1000)
    whole, window = "full_attention", "sliding_window"
    apply(
        index,
        A,
        stored([1], range(4), group_idx=0, kv_cache_spec_kind=window),
        stored([1], range(4), group_idx=1, kv_cache_spec_kind=whole),
        stored([1], range(4), group_idx=2, kv_cache_spec_kind=whole),
    )
    apply(index, A, removed(1, group_idx=0), removed(1, group_idx=2))
    assert match(index, range(4)) == {A: 1}
    apply(index, A, removed(1, group_idx=1))
    assert match(index, range(4)) == {}


def test_an_adapters_blocks_are_its_own() -> None:
    index = KvIndex(1000)
    apply(index, A, stored([1], range(4), lora_name="sql"))
    assert match(index, range(4), model="sql") == {A: 1}
    assert match(index, range(4), model="llama") == {}


def test_blocks_of_two_sizes_at_one_endpoint_cannot_be() -> None:
    index = KvIndex(1000)
    apply(index, A, stored([1], range(4)))
    assert apply(index, A, stored([2], range(8), size=8)).malformed == 1
    assert index.block_size(A) == 4


def test_an_endpoint_that_does_not_fit_is_forgotten_whole() -> None:
    index = KvIndex(4)
    apply(index, A, stored([1, 2, 3], range(12)))
    events = batch(stored([1, 2], range(8))).events
    assert not index.apply(B, events, Applied())
    assert match(index, range(12)) == {A: 3}
    assert index.blocks_of(B) == 0


def test_a_forgotten_endpoints_place_is_used_again() -> None:
    index = KvIndex(1000)
    apply(index, A, stored([1], range(4)))
    index.forget(A)
    apply(index, B, stored([1], range(4)))
    assert match(index, range(4)) == {B: 1}
    assert len(index) == 1


def test_no_more_is_hashed_than_somebody_has() -> None:
    index = KvIndex(1000)
    apply(index, A, stored([1], range(4)))
    taken = []

    def runs() -> object:
        for start in range(3):
            taken.append(start)
            yield [start + 12345]

    assert index.match([A], runs()) == {}  # type: ignore[arg-type]
    assert taken == [0]


CHAINS = st.lists(st.integers(0, 1), max_size=5)


class IndexAgainstModel(RuleBasedStateMachine):
    """Endpoints store and lose blocks; the model keeps each endpoint's blocks as whole prompts."""

    def __init__(self) -> None:
        super().__init__()
        self.index = KvIndex(10_000)
        self.held: dict[str, list[tuple[int, ...]]] = {A: [], B: []}

    @rule(address=st.sampled_from([A, B]), blocks=CHAINS)
    def store(self, address: str, blocks: list[int]) -> None:
        for end in range(1, len(blocks) + 1):
            block, parent = tuple(blocks[:end]), tuple(blocks[: end - 1])
            if parent and parent not in self.held[address]:
                return
            ids = [blocks[end - 1]] * 4
            event = stored([hash(block)], ids, parent=hash(parent) if parent else None)
            apply(self.index, address, event)
            self.held[address].append(block)

    @rule(address=st.sampled_from([A, B]), blocks=CHAINS)
    def remove(self, address: str, blocks: list[int]) -> None:
        apply(self.index, address, removed(hash(tuple(blocks))))
        if tuple(blocks) in self.held[address]:
            self.held[address].remove(tuple(blocks))

    @rule(address=st.sampled_from([A, B]))
    def clear(self, address: str) -> None:
        apply(self.index, address, CLEARED)
        self.held[address].clear()

    @rule(address=st.sampled_from([A, B]))
    def leave(self, address: str) -> None:
        self.index.forget(address)
        self.held[address].clear()

    @rule(blocks=CHAINS)
    def ask(self, blocks: list[int]) -> None:
        expected = {}
        for address, held in self.held.items():
            depth = 0
            while depth < len(blocks) and tuple(blocks[: depth + 1]) in held:
                depth += 1
            if depth:
                expected[address] = depth
        assert match(self.index, [block for block in blocks for _ in range(4)]) == expected

    @invariant()
    def counts_are_right(self) -> None:
        for address, held in self.held.items():
            assert self.index.blocks_of(address) == len(set(held))
        assert len(self.index) == sum(len(set(held)) for held in self.held.values())


TestIndexAgainstModel = IndexAgainstModel.TestCase
TestIndexAgainstModel.settings = settings(max_examples=60, deadline=None)


@given(st.lists(st.integers(0, 2**32 - 1), max_size=40), st.integers(1, 9))
def test_any_tokens_are_found_again(ids: list[int], size: int) -> None:
    index = KvIndex(1000)
    blocks = len(ids) // size
    apply(index, A, stored(range(blocks), ids[: blocks * size], size=size))
    assert match(index, ids, size) == ({A: blocks} if blocks else {})
