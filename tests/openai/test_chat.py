from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.openai.asking import CHAT, EMBEDDINGS, refused, understood, user

TOOLS = [{"type": "function", "function": {"name": "add"}}]
SYSTEM = {"role": "system", "content": "Be brief."}
ANSWER = {"role": "assistant", "content": "Yes."}


def test_messages_follow_each_other_with_their_roles() -> None:
    request = understood(CHAT, model="m", messages=[SYSTEM, user("Hi")])
    assert request.operation == "chat"
    assert request.prompt == "\x1e<system\x1e>Be brief.\x1e<user\x1e>Hi"


def test_a_later_turn_extends_an_earlier_one() -> None:
    turns: list[dict[str, Any]] = [
        SYSTEM,
        user("Hi"),
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "add"}}],
        },
        {"role": "tool", "tool_call_id": "1", "content": "4"},
        user([{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "u"}}]),
        ANSWER,
    ]
    prompts = [
        understood(CHAT, messages=turns[: end + 1], tools=TOOLS).prompt for end in range(len(turns))
    ]
    for earlier, later in itertools.pairwise(prompts):
        assert later.startswith(earlier)
        assert later != earlier


def test_a_call_without_tools_is_as_one_that_never_had_any() -> None:
    plain = understood(CHAT, messages=[ANSWER]).prompt
    assert understood(CHAT, messages=[{**ANSWER, "tool_calls": None}]).prompt == plain
    assert understood(CHAT, messages=[{**ANSWER, "tool_calls": []}], tools=[]).prompt == plain


@pytest.mark.parametrize(
    "head",
    [
        {"tools": TOOLS},
        {"functions": [{"name": "add"}]},
        {"chat_template": "{{ messages }}"},
        {"chat_template_kwargs": {"enable_thinking": False}},
    ],
)
def test_what_a_template_puts_first_comes_first(head: dict[str, Any]) -> None:
    bare, headed = (understood(CHAT, messages=[user("Hi")], **f).prompt for f in ({}, head))
    assert headed != bare
    assert headed.endswith(bare)
    assert next(iter(head)) in headed


def test_who_said_it_matters() -> None:
    together = understood(CHAT, messages=[user("Hi"), ANSWER])
    apart = understood(CHAT, messages=[user("HiYes.")])
    swapped = understood(CHAT, messages=[{**ANSWER, "content": "Hi"}, user("Yes.")])
    assert len({together.prompt, apart.prompt, swapped.prompt}) == 3


def test_one_text_part_is_the_same_as_a_string() -> None:
    parts = understood(CHAT, messages=[user([{"type": "text", "text": "Hi"}])])
    assert parts == understood(CHAT, messages=[user("Hi")])


def test_a_different_image_is_a_different_prompt() -> None:
    first, again, other = (
        understood(CHAT, messages=[user([{"type": "image_url", "image_url": {"url": url}}])]).prompt
        for url in ("a", "a", "b")
    )
    assert first == again != other


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({}, "messages", "missing_required_parameter"),
        ({"messages": None}, "messages", "missing_required_parameter"),
        ({"messages": []}, "messages", "empty_value"),
        ({"messages": "Hi"}, "messages", "invalid_type"),
        ({"messages": ["Hi"]}, "messages[0]", "invalid_type"),
        ({"messages": [{"role": 5, "content": "Hi"}]}, "messages[0].role", "invalid_type"),
        ({"messages": [user(5)]}, "messages[0].content", "invalid_type"),
        (
            {"messages": [user([{"type": "text", "text": 5}])]},
            "messages[0].content[0].text",
            "invalid_type",
        ),
        ({"messages": [user("Hi")], "max_tokens": [5]}, "max_tokens", "invalid_type"),
    ],
)
def test_a_chat_needs_messages_of_the_right_shape(
    fields: dict[str, Any], param: str, code: str
) -> None:
    invalid = refused(CHAT, model="m", **fields)
    assert (invalid.param, invalid.code, invalid.status) == (param, code, 400)


def test_the_newer_name_of_the_token_limit_wins() -> None:
    messages = [user("Hi")]
    limits = {"max_completion_tokens": 5, "max_tokens": 9}
    assert understood(CHAT, messages=messages, **limits).max_tokens == 5
    assert understood(CHAT, messages=messages, max_tokens=9).max_tokens == 9
    assert understood(CHAT, messages=messages).max_tokens is None


def test_embeddings_take_an_input_or_a_chat() -> None:
    assert understood(EMBEDDINGS, input="Hi").prompt == "Hi"
    assert understood(EMBEDDINGS, input=["Hi", "you"]).prompt == "Hi\x1e,you"
    assert understood(EMBEDDINGS, input=[1, 2]).prompt == "\x1e#1,2,"
    assert understood(EMBEDDINGS, messages=[user("Hi")]).prompt == "\x1e<user\x1e>Hi"
    assert understood(EMBEDDINGS, input="Hi", max_tokens=5).max_tokens is None
    assert refused(EMBEDDINGS, model="m").param == "input"
    assert refused(EMBEDDINGS, model="m", messages=[]).param == "messages"


def test_tokenize_takes_a_prompt_or_a_chat() -> None:
    assert understood("/tokenize", prompt="Hi").prompt == "Hi"
    assert understood("/tokenize", messages=[user("Hi")]).prompt == "\x1e<user\x1e>Hi"
    assert refused("/tokenize", model="m").param == "messages"
