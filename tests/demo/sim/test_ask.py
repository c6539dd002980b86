from __future__ import annotations

from typing import Any

import msgspec
import pytest

from epp.demo.sim.ask import Ask, read_chat, read_completion
from epp.demo.sim.problem import Problem
from epp.demo.sim.tokens import encode

HELLO = [{"role": "user", "content": "hello"}]


def chat(**fields: Any) -> Ask | Problem:
    return read_chat(msgspec.json.encode({"messages": HELLO, **fields}))


def completion(**fields: Any) -> Ask | Problem:
    return read_completion(msgspec.json.encode(fields))


def test_a_conversation_is_rendered_with_its_roles() -> None:
    said = [{"role": "system", "content": "be brief"}, *HELLO]
    assert chat(messages=said) == Ask(
        encode("<|system|>", "be brief", "<|end|>", "<|user|>", "hello", "<|end|>", "<|assistant|>")
    )


def test_the_next_turn_begins_with_the_turn_before_and_its_answer() -> None:
    first = chat()
    again = chat(
        messages=[*HELLO, {"role": "assistant", "content": "cat dog "}, {"role": "user"}],
    )
    assert isinstance(first, Ask)
    assert isinstance(again, Ask)
    assert again.content.startswith(first.content + b"cat dog ")


def test_parts_that_are_not_text_are_part_of_the_prompt() -> None:
    picture = {"type": "image_url", "image_url": {"url": "http://127.0.0.1/cat.png"}}
    ask = chat(messages=[{"role": "user", "content": [{"type": "text", "text": "see"}, picture]}])
    assert isinstance(ask, Ask)
    assert b"see{" in ask.content
    assert b"cat.png" in ask.content


def test_options_are_read() -> None:
    ask = chat(
        model="m",
        max_tokens=5,
        stream=True,
        stream_options={"include_usage": True},
        cache_salt="s",
        temperature=0.5,
        n=3,
    )
    assert isinstance(ask, Ask)
    assert (ask.model, ask.max_tokens, ask.stream, ask.include_usage, ask.cache_salt) == (
        "m",
        5,
        True,
        True,
        "s",
    )


def test_the_newer_name_of_the_limit_wins() -> None:
    ask = chat(max_tokens=5, max_completion_tokens=7)
    assert isinstance(ask, Ask)
    assert ask.max_tokens == 7


def test_nulls_are_as_good_as_nothing() -> None:
    assert chat(max_tokens=None, stream=None, stream_options=None, model=None) == chat()


def test_a_text_is_a_prompt_and_so_is_a_list_of_one() -> None:
    assert completion(prompt="abcdef") == completion(prompt=["abcdef"]) == Ask(b"abcdef\0\0")


def test_token_numbers_are_tokens() -> None:
    assert completion(prompt=[1, 2**32 - 1]) == Ask(b"\0\0\0\1\xff\xff\xff\xff")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"messages": []}',
        b'{"messages": [{"content": "x"}]}',
        b'{"messages": [{"role": "user", "content": "\xff"}]}',
        b'{"messages": [{"role": "user"}], "max_tokens": 0}',
    ],
)
def test_a_wrong_conversation_is_refused(body: bytes) -> None:
    problem = read_chat(body)
    assert isinstance(problem, Problem)
    assert problem.status == 400


@pytest.mark.parametrize("prompt", ["", [], ["a", "b"], [1, "b"], [-1], [2**32], 5, None])
def test_a_wrong_prompt_is_refused(prompt: object) -> None:
    problem = completion(prompt=prompt)
    assert isinstance(problem, Problem)
    assert problem.status == 400
