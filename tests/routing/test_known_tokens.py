from __future__ import annotations

from epp.openai.prompt import message, token_ids
from epp.routing.known_tokens import KnownTokens
from epp.scheduling.tokens import Tokens, pack

SYSTEM = message("system", "You are terse. " * 20)
HEAD = list(range(50))
MANY = 1 << 20


def known(store: KnownTokens, prompt: str, model: str = "m") -> tuple[int, float] | None:
    tokens = store.find(model, prompt)
    return None if tokens is None else (len(tokens), round(tokens.share, 2))


def test_a_later_turn_begins_with_the_tokens_of_an_earlier_one() -> None:
    store = KnownTokens(MANY)
    first = SYSTEM + message("user", "Why?")
    store.learn("m", first, [*HEAD, 1, 2, 3])
    assert store.find("m", first) == Tokens(pack([*HEAD, 1, 2, 3]))
    later = first + message("assistant", "So.") + message("user", "x" * len(first))
    tokens = store.find("m", later)
    assert tokens is not None
    assert tokens.data == pack([*HEAD, 1, 2, 3])
    assert 0.3 < tokens.share < 0.5


def test_the_tokens_of_instructions_are_found_out_from_two_prompts_that_have_them() -> None:
    store = KnownTokens(MANY)
    store.learn("m", SYSTEM + message("user", "Why?"), [*HEAD, 1, 2])
    other = SYSTEM + message("user", "How?")
    assert store.find("m", other) is None
    store.learn("m", other, [*HEAD, 3])
    third = store.find("m", SYSTEM + message("user", "When?"))
    assert third is not None
    assert third.data == pack(HEAD)


def test_another_model_has_other_tokens() -> None:
    store = KnownTokens(MANY)
    store.learn("m", SYSTEM, HEAD)
    assert known(store, SYSTEM, "other") is None


def test_token_ids_are_known_as_they_come() -> None:
    store = KnownTokens(0)
    assert store.find("m", token_ids(b"[1, 2,3]")) == Tokens(pack([1, 2, 3]))
    assert store.find("m", token_ids(b"[4294967296]")) is None


def test_other_text_is_not_known() -> None:
    store = KnownTokens(MANY)
    store.learn("m", "some text", [1, 2])
    assert known(store, "some text") == (2, 1.0)
    assert known(store, "some text and more") is None


def test_numbers_that_are_no_tokens_are_not_learned() -> None:
    store = KnownTokens(MANY)
    store.learn("m", SYSTEM, [-1])
    assert len(store) == 0


def test_memory_is_bounded_and_what_is_used_stays() -> None:
    store = KnownTokens(10_000)
    store.learn("m", SYSTEM, HEAD)
    for number in range(200):
        store.learn("m", message("user", str(number)), HEAD)
        assert known(store, SYSTEM) == (50, 1.0)
    assert len(store) * 400 <= 10_000
    assert known(store, message("user", "0")) is None
    assert known(store, message("user", "199")) is not None


def test_a_prompt_that_is_larger_than_the_memory_is_not_learned() -> None:
    store = KnownTokens(1_000)
    store.learn("m", SYSTEM, list(range(1_000)))
    assert len(store) == 0


def test_where_messages_end_does_not_fill_the_memory() -> None:
    store = KnownTokens(MANY)
    for number in range(3000):
        turns = [message("user", f"{number} {turn}") for turn in range(5)]
        store.learn("m", "".join(turns), [number])
    assert len(store._met) <= 8192
