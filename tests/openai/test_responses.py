from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.openai.asking import RESPONSES, refused, understood, user

CALL = {"type": "function_call", "call_id": "1", "name": "add", "arguments": "{}"}
ITEMS = [
    user("Hi"),
    {"type": "reasoning", "summary": [], "encrypted_content": "x"},
    CALL,
    {"type": "function_call_output", "call_id": "1", "output": "4"},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "4"}]},
    {"type": "computer_call_output", "output": {"type": "computer_screenshot", "image_url": "u"}},
]


def test_a_string_is_a_message_of_the_user() -> None:
    assert understood(RESPONSES, input="Hi").prompt == "\x1e<user\x1e>Hi"
    assert understood(RESPONSES, input=[user("Hi")]).prompt == "\x1e<user\x1e>Hi"


def test_instructions_and_tools_come_first() -> None:
    request = understood(RESPONSES, input="Hi", instructions="Be brief.", tools=[{"name": "add"}])
    assert request.prompt == (
        '\x1e[tools\x1e][{"name": "add"}]\x1e<system\x1e>Be brief.\x1e<user\x1e>Hi'
    )
    as_items = understood(RESPONSES, input="Hi", instructions=[{"role": "system", "content": "A"}])
    assert as_items.prompt == "\x1e<system\x1e>A\x1e<user\x1e>Hi"


def test_a_later_turn_extends_an_earlier_one() -> None:
    prompts = [understood(RESPONSES, input=ITEMS[: end + 1]).prompt for end in range(len(ITEMS))]
    for earlier, later in itertools.pairwise(prompts):
        assert later.startswith(earlier)
        assert later != earlier


def test_calls_of_tools_and_their_results_matter() -> None:
    variants = [
        [CALL],
        [{**CALL, "name": "sub"}],
        [{**CALL, "type": "mcp_call"}],
        [{**CALL, "arguments": '{"a": 1}'}],
        [CALL, {"type": "function_call_output", "output": "4"}],
        [CALL, {"type": "function_call_output", "output": [{"type": "input_text", "text": "5"}]}],
    ]
    assert len({understood(RESPONSES, input=items).prompt for items in variants}) == len(variants)


def test_what_the_server_remembers_stands_before_the_input() -> None:
    first, other = (
        understood(RESPONSES, input="Hi", previous_response_id=id_).prompt for id_ in ("a", "b")
    )
    assert first != other
    assert first.endswith("\x1e<user\x1e>Hi")


@pytest.mark.parametrize("input_", [None, "", [], 5, ["Hi"]])
def test_input_is_required(input_: object) -> None:
    param = refused(RESPONSES, model="m", input=input_).param
    assert param == ("input[0]" if input_ == ["Hi"] else "input")


def test_the_limit_is_that_of_the_output() -> None:
    request = understood(RESPONSES, input="Hi", max_output_tokens=5, max_tokens=9)
    assert (request.operation, request.max_tokens) == ("responses", 5)


@pytest.mark.parametrize(
    ("fields", "prompt"),
    [({}, ""), ({"items": []}, ""), ({"items": [user("Hi")]}, "\x1e<user\x1e>Hi")],
)
def test_a_conversation_may_begin_empty(fields: dict[str, Any], prompt: str) -> None:
    assert understood("/v1/conversations", **fields).prompt == prompt
