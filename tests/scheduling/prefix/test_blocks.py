from __future__ import annotations

from itertools import takewhile

from hypothesis import given, settings
from hypothesis import strategies as st

from epp.scheduling.prefix.blocks import BlockHasher, root_hash
from epp.scheduling.prefix.cut import Cut


def hashes(prompt: str, *, root: int = 1, block_bytes: int = 4, max_blocks: int = 99) -> list[int]:
    hasher = BlockHasher(Cut(block_bytes), max_blocks * block_bytes, max_blocks)
    return hasher.hashes(prompt, root)[0]


def test_only_whole_blocks_count() -> None:
    assert [len(hashes("abcdefghi"[:n])) for n in (0, 3, 4, 7, 8, 9)] == [0, 0, 1, 1, 2, 2]


def test_a_block_is_measured_in_bytes_of_utf_8() -> None:
    assert len(hashes("ä" * 4)) == 2
    assert len(hashes("😀" * 3)) == 3


def test_a_hash_stands_for_all_that_is_before_it() -> None:
    one, other = hashes("aaaabbbb"), hashes("ccccbbbb")
    assert one[0] != other[0]
    assert one[1] != other[1]


def test_the_same_block_has_another_hash_in_another_place() -> None:
    assert len(set(hashes("aaaa" * 5))) == 5


def test_another_root_gives_other_hashes() -> None:
    assert not set(hashes("aaaabbbb", root=1)) & set(hashes("aaaabbbb", root=2))


def test_not_more_than_the_wanted_blocks_are_hashed() -> None:
    assert hashes("aaaabbbbcccc", max_blocks=2) == hashes("aaaabbbb")
    assert hashes("ä" * 100, max_blocks=2) == hashes("ää" * 2)


def test_a_prompt_that_is_no_proper_unicode_is_hashed_all_the_same() -> None:
    assert len(hashes("\ud800\ud800\ud800\ud800")) == 3


def test_a_hash_fits_in_two_digits_of_an_int() -> None:
    assert all(0 <= found < 2**60 for found in hashes("abcd" * 50))


@settings(deadline=None)
@given(st.text("ab", max_size=40), st.text("ab", max_size=40), st.integers(1, 5))
def test_two_prompts_share_as_many_hashes_as_they_share_blocks(
    one: str, other: str, size: int
) -> None:
    pairs = zip(hashes(one, block_bytes=size), hashes(other, block_bytes=size), strict=False)
    shared = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
    common = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))
    assert shared == common // size


def test_the_root_depends_on_every_part_and_on_the_seed() -> None:
    roots = [root_hash(1, "a", "b"), root_hash(1, "a", ""), root_hash(1, "", "b")]
    assert len({*roots, root_hash(2, "a", "b")}) == 4


def test_parts_do_not_run_into_each_other() -> None:
    assert len({root_hash(1, "ab", "c"), root_hash(1, "a", "bc"), root_hash(1, "1:a", "")}) == 3


@settings(deadline=None)
@given(st.integers(0, 2**64 - 1), st.text(), st.text())
def test_a_root_is_a_seed(seed: int, model: str, salt: str) -> None:
    assert 0 <= root_hash(seed, model, salt) < 2**64
