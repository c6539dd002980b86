from __future__ import annotations

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from epp.openai import prompt
from epp.openai.body import ABSENT

MARKED = st.lists(
    st.sampled_from(["\x1e", "\x1e<", "\x1e>", "\x1e-", "\x1e,", "-", "a"]), max_size=6
).map("".join)


@settings(deadline=None)
@example([("", "\x1e<a\x1e>b")], [("", ""), ("a", "b")])
@example([("", "\x1e-")], [("", "\x1e")])
@given(st.lists(st.tuples(MARKED, MARKED)), st.lists(st.tuples(MARKED, MARKED)))
def test_different_messages_never_make_the_same_prompt(
    first: list[tuple[str, str]], second: list[tuple[str, str]]
) -> None:
    one, other = (
        "".join(prompt.message(role, prompt.plain(text)) for role, text in turns)
        for turns in (first, second)
    )
    assert (one == other) == (first == second)


@settings(deadline=None)
@example(["\x1e,"], ["", ""])
@given(st.lists(MARKED, min_size=1), st.lists(MARKED, min_size=1))
def test_different_batches_never_make_the_same_prompt(first: list[str], second: list[str]) -> None:
    one, other = (prompt.separate([prompt.plain(t) for t in texts]) for texts in (first, second))
    assert (one == other) == (first == second)


def test_text_without_marks_is_itself() -> None:
    assert prompt.plain("Hello\n") == "Hello\n"


def test_a_field_that_says_nothing_adds_nothing() -> None:
    for nothing in (ABSENT, *map(msgspec.Raw, (b"", b"null", b"[]", b"{}"))):
        assert prompt.raw("tools", nothing) == ""
        assert prompt.media("image", nothing) == ""


def test_a_field_is_kept_as_it_was_sent() -> None:
    assert prompt.raw("tools", msgspec.Raw(b'[{"a": 1}]')) == '\x1e[tools\x1e][{"a": 1}]'


def test_bytes_that_are_not_text_are_replaced() -> None:
    assert prompt.raw("tools", msgspec.Raw(b'["\xff"]')) == '\x1e[tools\x1e]["\ufffd"]'


def test_media_are_told_apart_and_stay_short() -> None:
    first, again, other = (
        prompt.media("image_url", msgspec.Raw(b'"' + url * 10_000 + b'"'))
        for url in (b"a", b"a", b"b")
    )
    assert first == again != other
    assert len(first) < 40


def test_a_longer_array_of_token_ids_extends_a_shorter_one() -> None:
    assert prompt.token_ids(b"[1, 2,\n 3]") == prompt.token_ids(b"[1,2,3]") == "\x1e#1,2,3,"
    assert prompt.token_ids(b"[1,2,3,4]").startswith(prompt.token_ids(b"[1,2,3]"))
    assert not prompt.token_ids(b"[1,2,34]").startswith(prompt.token_ids(b"[1,2,3]"))


def chat(*turns: tuple[str, str]) -> str:
    return "".join(prompt.message(role, prompt.plain(text)) for role, text in turns)


def test_a_chat_opens_with_all_up_to_the_first_user_message() -> None:
    begun = chat(("system", "Be brief."), ("user", "Hello"))
    assert prompt.opening(begun) == begun
    assert prompt.opening(begun + chat(("assistant", "Hi"), ("user", "Again"))) == begun


def test_chats_with_the_same_instructions_open_differently() -> None:
    instructions = ("system", "x" * 5000)
    one, other = (chat(instructions, ("user", text)) for text in ("one", "other"))
    assert prompt.opening(one) != prompt.opening(other)


def test_a_plain_prompt_opens_with_its_beginning() -> None:
    assert prompt.opening("short") == "short"
    assert prompt.opening("a" * 2000 + "b") == prompt.opening("a" * 2000 + "c")


@given(
    st.lists(st.tuples(st.sampled_from(["system", "developer"]), st.text())),
    st.text(),
    st.lists(st.tuples(st.sampled_from(["assistant", "user", "tool"]), st.text())),
)
def test_a_conversation_opens_the_same_however_long_it_grows(
    instructions: list[tuple[str, str]], asked: str, later: list[tuple[str, str]]
) -> None:
    begun = chat(*instructions, ("user", asked))
    assert prompt.opening(begun + chat(*later)) == begun
