from __future__ import annotations

from typing import Any

import pytest

from epp.openai.request import Invalid, Request, parse
from tests.openai.asking import MESSAGES, refused, understood, user

COUNT = "/v1/messages/count_tokens"


def test_tools_and_the_system_prompt_stand_before_the_messages() -> None:
    request = understood(
        MESSAGES, system="Be brief.", messages=[user("Hi")], tools=[{"name": "add"}], max_tokens=5
    )
    assert request == Request(
        "messages",
        prompt='\x1e[tools\x1e][{"name": "add"}]\x1e<system\x1e>Be brief.\x1e<user\x1e>Hi',
        max_tokens=5,
    )


def test_a_system_prompt_may_be_blocks() -> None:
    blocks = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    as_blocks, as_text = (
        understood(MESSAGES, system=system, messages=[user("Hi")])
        for system in (blocks, "Be brief.")
    )
    assert as_blocks == as_text


def test_the_line_that_differs_in_every_request_is_left_out() -> None:
    first, second = (
        understood(
            MESSAGES,
            messages=[user("Hi")],
            system=[
                {"type": "text", "text": f"x-anthropic-billing-header: cc_version=2; cch={sum_};"},
                {"type": "text", "text": "Be brief."},
            ],
        )
        for sum_ in ("1a2b3", "4c5d6")
    )
    assert first == second
    assert "\x1e<system\x1e>Be brief." in first.prompt


def test_a_later_turn_extends_an_earlier_one_though_the_cache_mark_moves() -> None:
    marked = {"cache_control": {"type": "ephemeral"}}
    call = {"type": "tool_use", "id": "1", "name": "add", "input": {"a": 2}}
    result = {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "4"}]}
    hi = {"type": "text", "text": "Hi"}
    earlier = [user([{**hi, **marked}])]
    later = [user([hi]), {"role": "assistant", "content": [call]}, user([{**result, **marked}])]
    last = [user([hi]), {"role": "assistant", "content": [call]}, user([result]), user("And?")]
    prompts = [
        understood(MESSAGES, system="S", messages=turns).prompt for turns in (earlier, later, last)
    ]
    assert prompts[1].startswith(prompts[0])
    assert prompts[2].startswith(prompts[1])


@pytest.mark.parametrize("fields", [{}, {"messages": []}, {"messages": "Hi"}])
def test_messages_are_required(fields: dict[str, Any]) -> None:
    assert refused(MESSAGES, model="m", **fields).param == "messages"


@pytest.mark.parametrize("body", [b"", b"not JSON", b"[]", b'{"model": {}}', b"\xff", b"[" * 9999])
def test_counting_requires_nothing(body: bytes) -> None:
    assert parse(COUNT, "text/plain", body) == Request("count_tokens")


def test_counting_still_finds_the_model() -> None:
    assert parse(COUNT, "", b'{"model": "m", "messages": 5}') == Request("count_tokens", "m")
    assert isinstance(parse(COUNT, "", b'{"model": "m\\r\\n"}'), Invalid)
