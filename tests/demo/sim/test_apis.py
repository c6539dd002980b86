"""The other APIs of a simulated server, as the real clients see them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel

from epp.demo.sim.server import SimServer

HELLO: Any = [{"role": "user", "content": "hello " * 40}]
ADD: Any = {
    "type": "function",
    "function": {
        "name": "add",
        "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
    },
}


class Point(BaseModel):
    x: int
    label: str


@pytest.fixture
async def claude(server: SimServer) -> AsyncIterator[anthropic.AsyncAnthropic]:
    opened = anthropic.AsyncAnthropic(base_url=server.url, api_key="none", max_retries=0)
    async with opened:
        yield opened


async def test_a_tool_is_called_and_its_result_is_answered_in_words(openai: AsyncOpenAI) -> None:
    answer = await openai.chat.completions.create(model="base", messages=HELLO, tools=[ADD])
    (choice,) = answer.choices
    assert choice.finish_reason == "tool_calls"
    (call,) = choice.message.tool_calls or []
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("add", {"a": 0})
    done = [*HELLO, choice.message, {"role": "tool", "tool_call_id": call.id, "content": "5"}]
    answer = await openai.chat.completions.create(model="base", messages=done, tools=[ADD])
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].message.content


async def test_a_streamed_call_is_the_same(openai: AsyncOpenAI) -> None:
    streamed = openai.chat.completions.stream(
        model="base",
        messages=HELLO,
        tools=[ADD],
        tool_choice={"type": "function", "function": {"name": "add"}},
    )
    async with streamed as stream:
        answer = await stream.get_final_completion()
    (call,) = answer.choices[0].message.tool_calls or []
    assert (call.function.name, json.loads(call.function.arguments)) == ("add", {"a": 0})
    assert answer.choices[0].finish_reason == "tool_calls"


async def test_an_answer_has_the_structure_that_was_asked_for(openai: AsyncOpenAI) -> None:
    answer = await openai.chat.completions.parse(
        model="base", messages=HELLO, response_format=Point
    )
    assert answer.choices[0].message.parsed == Point(x=0, label="")
    assert answer.choices[0].finish_reason == "stop"


async def test_anthropic_s_messages(claude: anthropic.AsyncAnthropic) -> None:
    asked: Any = {"model": "base", "messages": HELLO, "max_tokens": 5, "system": "Be brief."}
    answer = await claude.messages.create(**asked)
    assert answer.content[0].type == "text"
    assert answer.stop_reason == "max_tokens"
    assert answer.usage.output_tokens == 5
    async with claude.messages.stream(**asked) as stream:
        text = "".join([piece async for piece in stream.text_stream])
        last = await stream.get_final_message()
    assert text == answer.content[0].text
    assert last.usage.output_tokens == 5
    assert last.stop_reason == "max_tokens"


async def test_responses(openai: AsyncOpenAI) -> None:
    whole = await openai.responses.create(model="base", input="hello", max_output_tokens=5)
    assert whole.usage is not None
    assert whole.usage.output_tokens == 5
    stream = await openai.responses.create(
        model="base", input="hello", max_output_tokens=5, stream=True
    )
    events = [event async for event in stream]
    said = [e.delta for e in events if e.type == "response.output_text.delta"]
    assert "".join(said) == whole.output_text
    assert events[-1].type == "response.completed"


async def test_embeddings_are_the_same_for_the_same_text(openai: AsyncOpenAI) -> None:
    answer = await openai.embeddings.create(model="base", input=["a", "b", "a"])
    a, b, again = (one.embedding for one in answer.data)
    assert a == again != b
    plain = await openai.embeddings.create(model="base", input="a", encoding_format="float")
    assert plain.data[0].embedding == a
    assert plain.usage.prompt_tokens == 1


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/responses", "/v1/embeddings"])
async def test_a_broken_body_is_refused(http: Any, path: str) -> None:
    assert (await http.post(path, content=b"{")).status_code == 400
