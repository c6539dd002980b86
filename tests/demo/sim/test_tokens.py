from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from epp.demo.sim.tokens import (
    LONGEST,
    SHORTEST,
    TOKEN_BYTES,
    WORDS,
    answer_length,
    encode,
    extend_keys,
    word,
)


def keys(content: bytes, block_size: int = 4, root: int = 0) -> list[int]:
    found: list[int] = []
    extend_keys(found, content, block_size, root)
    return found


def test_every_word_is_exactly_one_token() -> None:
    assert len(set(WORDS)) == len(WORDS) > 100
    assert {len(text.encode()) for text in WORDS} == {TOKEN_BYTES}
    assert all(text[:3].isalpha() and text[3] == " " for text in WORDS)


def test_segments_do_not_share_tokens() -> None:
    assert encode("abcde", "f") == b"abcde\0\0\0f\0\0\0"


def test_an_answer_in_the_next_prompt_has_the_bytes_that_were_generated() -> None:
    generated = "".join(word(7, position) for position in range(9))
    assert encode("<|assistant|>", generated) == encode("<|assistant|>") + generated.encode()


def test_the_same_prompt_gets_the_same_words_and_another_gets_others() -> None:
    answers = [[word(number, position) for position in range(20)] for number in (1, 1, 2)]
    assert answers[0] == answers[1] != answers[2]


@given(st.integers(0, 2**64 - 1))
def test_answers_are_neither_tiny_nor_endless(number: int) -> None:
    assert SHORTEST <= answer_length(number) <= LONGEST


def test_answers_differ_in_length() -> None:
    lengths = [answer_length(number) for number in range(200)]
    assert len(set(lengths)) > 50
    assert 60 < sorted(lengths)[100] < 110


def test_only_full_blocks_have_a_key() -> None:
    assert [len(keys(bytes(n))) for n in (0, 15, 16, 31, 32)] == [0, 0, 1, 1, 2]


def test_a_key_stands_for_everything_before_it() -> None:
    one, other = keys(b"a" * 48), keys(b"b" * 16 + b"a" * 32)
    assert not set(one) & set(other)
    assert keys(b"a" * 48)[:2] == keys(b"a" * 32 + b"c" * 16)[:2]


def test_a_root_keeps_the_same_text_apart() -> None:
    assert not set(keys(b"a" * 32, root=1)) & set(keys(b"a" * 32, root=2))


@given(st.binary(max_size=200), st.integers(0, 200))
def test_keys_may_be_made_in_any_number_of_goes(content: bytes, cut: int) -> None:
    found: list[int] = []
    extend_keys(found, content[:cut], 4, 0)
    extend_keys(found, content, 4, 0)
    assert found == keys(content)
