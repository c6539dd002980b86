from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.openai import request
from epp.openai.tokenizable import is_chat, plain_text, token_ids, tokenize_body, turn_ends

CHAT, TEXT = "/v1/chat/completions", "/v1/completions"


def prompt_of(path: str, **body: Any) -> str:
    understood = request.parse(path, "application/json", msgspec.json.encode(body))
    assert isinstance(understood, request.Request)
    return understood.prompt


def asked(prompt: str) -> Any:
    body = tokenize_body(prompt, "llama")
    return None if body is None else msgspec.json.decode(body)


def test_a_chat_comes_back_as_it_was_asked() -> None:
    messages = [
        {"role": "system", "content": "You are \x1e<terse\x1e>."},
        {"role": "user", "content": "Hi [\x1e[tools"},
    ]
    tools = [{"type": "function", "function": {"name": "f\x1e]"}}]
    prompt = prompt_of(
        CHAT, model="m", messages=messages, tools=tools, chat_template_kwargs={"thinking": True}
    )
    assert is_chat(prompt)
    assert asked(prompt) == {
        "model": "llama",
        "messages": messages,
        "add_generation_prompt": False,
        "tools": tools,
        "chat_template_kwargs": {"thinking": True},
    }


def test_a_call_of_a_tool_comes_back() -> None:
    call = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    messages = [{"role": "assistant", "content": "", "tool_calls": call}]
    assert asked(prompt_of(CHAT, model="m", messages=messages))["messages"] == messages


def test_parts_of_text_are_joined_as_servers_join_them() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    prompt = prompt_of(CHAT, model="m", messages=[{"role": "user", "content": parts}])
    assert asked(prompt)["messages"] == [{"role": "user", "content": "a\nb"}]


@pytest.mark.parametrize(
    "body",
    [
        {"content": [{"type": "image_url", "image_url": {"url": "data:,"}}]},
        {"content": [{"type": "tool_use", "name": "f", "input": {}}]},
        {"content": "x", "function_call": {"name": "f"}},
    ],
)
def test_what_only_the_server_can_render_is_not_asked_for(body: dict[str, Any]) -> None:
    assert asked(prompt_of(CHAT, model="m", messages=[{"role": "user", **body}])) is None


@given(st.text(min_size=1))
def test_any_text_comes_back(text: str) -> None:
    prompt = prompt_of(TEXT, model="m", prompt=text.encode(errors="replace").decode())
    assert asked(prompt) == {"model": "llama", "prompt": text.encode(errors="replace").decode()}
    assert plain_text(prompt) is not None
    assert not is_chat(prompt)


@given(st.lists(st.integers(0, 2**40), min_size=1))
def test_token_ids_come_back(ids: list[int]) -> None:
    prompt = prompt_of(TEXT, model="m", prompt=ids)
    assert token_ids(prompt) == ids
    assert asked(prompt) is None


@pytest.mark.parametrize("batch", [["a", "b"], [[1, 2], [3]], [[1]]])
def test_a_batch_has_no_tokens(batch: list[Any]) -> None:
    prompt = prompt_of(TEXT, model="m", prompt=batch)
    assert token_ids(prompt) is None
    assert asked(prompt) is None


def test_text_is_no_token_ids() -> None:
    assert token_ids("1,2,3") is None
    assert tokenize_body("", "m") is None


def test_a_chat_ends_where_each_message_ends() -> None:
    prompt = prompt_of(
        CHAT,
        model="m",
        messages=[{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
    )
    first = prompt_of(CHAT, model="m", messages=[{"role": "system", "content": "s"}])
    assert turn_ends(prompt) == [len(first), len(prompt)]
    assert turn_ends("text") == [4]
