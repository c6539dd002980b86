from __future__ import annotations

from itertools import takewhile

import pytest
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


@settings(deadline=None)
@given(st.lists(st.sampled_from(["ab" * 40, "cd" * 300, "xyz"]), max_size=12), st.integers(1, 4))
def test_what_was_hashed_before_comes_out_the_same(pieces: list[str], size: int) -> None:
    hasher = BlockHasher(Cut(size, fine=32), 10**6, 10**6)
    prompt = "".join(pieces)
    for end in range(0, len(prompt), 97):
        hasher.hashes(prompt[:end], 1)
    fresh = BlockHasher(Cut(size, fine=32), 10**6, 10**6)
    assert hasher.hashes(prompt, 1) == fresh.hashes(prompt, 1)


def test_a_later_turn_finds_the_hashes_of_the_earlier_ones() -> None:
    hasher = BlockHasher(Cut(4), 10**6, 10**6)
    first, _ = hasher.hashes("abcd" * 192, 1)
    second, _ = hasher.hashes("abcd" * 192 + "efgh" * 20, 1)
    assert len(first) == 96  # six runs of 16
    assert all(one is other for one, other in zip(first, second[:96], strict=True))


def test_hashes_are_remembered_within_bounds() -> None:
    hasher = BlockHasher(Cut(1), 10**6, 10**6)
    for number in range(300):
        hasher.hashes(f"{number:06}" * 100, number)
    assert len(hasher._young) + len(hasher._old) <= 2048


@pytest.mark.parametrize(("prompt", "length"), [("", 0.0), ("abc", 3.0), ("äöü", 6.0)])
def test_the_length_is_in_bytes(prompt: str, length: float) -> None:
    assert BlockHasher(Cut(4), 100, 100).hashes(prompt, 1)[1] == length


def test_the_length_of_what_is_not_looked_at_is_estimated() -> None:
    assert BlockHasher(Cut(4), 10, 100).hashes("äb" * 50, 1)[1] == 150.0
