"""Wrong requests of the clients that people use: what each makes of the picker's refusal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias

import anthropic
import msgspec
import openai
import pytest

from tests.openai.loopback import Answer, Server, serve
from tests.server.envoy import BUFFERED, Refusal, kinds, request_body, request_headers
from tests.server.picker import HEADER, Picker, pod

CONFIG = (
    HEADER
    + """
plugins: [{type: queue-scorer}]
validate: strict
models:
  unknown: refuse
  table: [{name: m}]
"""
)
MISSING, EMPTY, TYPE, VALUE = (
    "missing_required_parameter",
    "empty_value",
    "invalid_type",
    "invalid_value",
)
RIGHT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
Ask: TypeAlias = Callable[[str, Mapping[str, Any]], None]


class Front(Server):
    """Asks a picker about each request, as Envoy does, and says what the picker says."""

    def __init__(self) -> None:
        super().__init__()
        self.picker = Picker(pod("10.0.0.1:8000"), config=CONFIG)
        self.passed = 0

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        theirs = {k: v for k, v in headers.items() if k.startswith("anthropic-")}
        stream = self.picker.stream()
        stream.receive(request_headers(path, mode=BUFFERED, headers=theirs))
        [reply] = stream.receive(request_body(body))
        stream.close()
        if kinds([reply]) != ["immediate_response"]:
            self.passed += 1
            return 200, "application/json", b"{}"
        refusal = Refusal([reply])
        return refusal.status, "application/json", reply.immediate_response.body


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with serve(Front()) as serving:
        yield serving


@pytest.fixture(scope="module", params=["sync", "async"])
def ask_openai(request: pytest.FixtureRequest, front: Front) -> Iterator[Ask]:
    """`ask_openai(api, fields)`, with the client that waits or the one that does not."""
    options: dict[str, Any] = {"base_url": f"{front.url}/v1", "api_key": "none", "max_retries": 0}
    if request.param == "sync":
        with openai.OpenAI(**options) as client:
            yield partial(_call, client)
    else:
        yield from _asking(openai.AsyncOpenAI(**options))


@pytest.fixture(scope="module", params=["sync", "async"])
def ask_anthropic(request: pytest.FixtureRequest, front: Front) -> Iterator[Ask]:
    options: dict[str, Any] = {
        "base_url": front.url,
        "api_key": "none",
        "max_retries": 0,
        "timeout": 20,  # else the client reckons it from `max_tokens`, which is what is missing
    }
    if request.param == "sync":
        with anthropic.Anthropic(**options) as client:
            yield partial(_call, client)
    else:
        yield from _asking(anthropic.AsyncAnthropic(**options))


def _asking(client: openai.AsyncOpenAI | anthropic.AsyncAnthropic) -> Iterator[Ask]:
    with asyncio.Runner() as runner:
        yield lambda api, fields: runner.run(_call(client, api, fields))
        runner.run(client.close())


def _call(client: Any, api: str, fields: Mapping[str, Any]) -> Any:
    for name in api.split("."):
        client = getattr(client, name)
    return client.create(**fields)


class Mistake(msgspec.Struct, frozen=True):
    """What is wrong, and how the refusal must name it."""

    fields: dict[str, Any]
    param: str
    code: str
    words: str  # of the message: what to change, or into what

    def __str__(self) -> str:
        return f"{self.param}-{self.code}"


def turn(**fields: Any) -> dict[str, Any]:
    return {"messages": [RIGHT["messages"][0], fields]}


CHAT = "chat.completions"
OF_CHATS = [
    Mistake({"model": ""}, "model", EMPTY, "must not be empty"),
    Mistake({"messages": []}, "messages", EMPTY, "must not be empty"),
    Mistake({"messages": "Hi"}, "messages", TYPE, "expected an array"),
    Mistake(turn(role="boss", content="x"), "messages[1].role", VALUE, "'assistant'"),
    Mistake(turn(content="x"), "messages[1].role", MISSING, "Missing"),
    Mistake(turn(role="user"), "messages[1].content", MISSING, "Missing"),
    Mistake(
        turn(role="user", content=[{"type": "text"}]),
        "messages[1].content[0].text",
        MISSING,
        "Missing",
    ),
    Mistake(
        turn(role="user", content=[{"type": "smell"}]),
        "messages[1].content[0].type",
        VALUE,
        "'image_url'",
    ),
    Mistake(turn(role="tool", content="5"), "messages[1].tool_call_id", MISSING, "Missing"),
    Mistake(
        {"tools": [{"type": "function", "function": {"parameters": {}}}]},
        "tools[0].function.name",
        MISSING,
        "Missing",
    ),
    Mistake({"tools": [{"type": "function"}]}, "tools[0].function", MISSING, "Missing"),
    Mistake({"tool_choice": "maybe"}, "tool_choice", VALUE, "'required'"),
    Mistake({"response_format": {"type": "xml"}}, "response_format.type", VALUE, "'json_schema'"),
    Mistake(
        {"response_format": {"type": "json_schema"}},
        "response_format.json_schema",
        MISSING,
        "Missing",
    ),
    Mistake({"n": 0}, "n", VALUE, ">= 1"),
    Mistake({"temperature": -1}, "temperature", VALUE, ">= 0"),
    Mistake({"temperature": "warm"}, "temperature", TYPE, "expected a number"),
    Mistake({"top_p": 2}, "top_p", VALUE, "<= 1"),
    Mistake({"max_tokens": -1}, "max_tokens", VALUE, ">= 0"),
    Mistake({"max_completion_tokens": -1}, "max_completion_tokens", VALUE, ">= 0"),
]
OF_OTHERS = [
    ("completions", Mistake({"model": "m", "prompt": 5}, "prompt", TYPE, "expected")),
    ("completions", Mistake({"model": "m", "prompt": "x", "n": 0}, "n", VALUE, ">= 1")),
    ("responses", Mistake({"model": "m"}, "input", MISSING, "Missing")),
    (
        "responses",
        Mistake(
            {"model": "m", "input": [{"role": "boss", "content": "x"}]},
            "input[0].role",
            VALUE,
            "'developer'",
        ),
    ),
]
OF_MESSAGES = [
    Mistake({"max_tokens": anthropic.omit}, "max_tokens", MISSING, "Missing"),
    Mistake({"extra_body": {"max_tokens": None}}, "max_tokens", TYPE, "expected an integer"),
    Mistake({"max_tokens": 0}, "max_tokens", VALUE, ">= 1"),
    Mistake({"model": ""}, "model", EMPTY, "must not be empty"),
    Mistake({"messages": []}, "messages", EMPTY, "must not be empty"),
    Mistake({"extra_body": {"temperature": -1}}, "temperature", VALUE, ">= 0"),
    Mistake(turn(role="boss", content="x"), "messages[1].role", VALUE, "'assistant'"),
    Mistake(
        turn(role="user", content=[{"type": "text"}]),
        "messages[1].content[0].text",
        MISSING,
        "Missing",
    ),
    Mistake(
        turn(role="user", content=[{"type": "smell"}]),
        "messages[1].content[0].type",
        VALUE,
        "'image'",
    ),
    Mistake({"tool_choice": {"type": "maybe"}}, "tool_choice.type", VALUE, "'any'"),
]
streaming = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streaming"])


@streaming
@pytest.mark.parametrize("mistake", OF_CHATS, ids=str)
def test_openai_s_client_is_told_what_is_wrong_with_a_chat(
    ask_openai: Ask, mistake: Mistake, stream: bool
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask_openai(CHAT, {**RIGHT, "stream": stream, **mistake.fields})
    _assert_told(caught.value, mistake)


@streaming
@pytest.mark.parametrize(("api", "mistake"), OF_OTHERS)
def test_and_with_other_requests(ask_openai: Ask, api: str, mistake: Mistake, stream: bool) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask_openai(api, {**mistake.fields, "stream": stream})
    _assert_told(caught.value, mistake)


def test_options_of_a_stream_that_there_is_not(ask_openai: Ask, front: Front) -> None:
    options = {"stream_options": {"include_usage": True}}
    with pytest.raises(openai.BadRequestError) as caught:
        ask_openai(CHAT, {**RIGHT, **options})
    _assert_told(caught.value, Mistake({}, "stream_options", VALUE, "'stream' is true"))
    passed = front.passed
    ask_openai(CHAT, {**RIGHT, **options, "stream": True})
    assert front.passed == passed + 1


@streaming
@pytest.mark.parametrize("mistake", OF_MESSAGES, ids=str)
def test_anthropic_s_client_is_told_what_is_wrong(
    ask_anthropic: Ask, mistake: Mistake, stream: bool
) -> None:
    with pytest.raises(anthropic.BadRequestError) as caught:
        ask_anthropic("messages", {**RIGHT, "max_tokens": 5, "stream": stream, **mistake.fields})
    body: Any = caught.value.body
    assert (caught.value.status_code, body["type"]) == (400, "error")
    error = body["error"]
    assert error["type"] == "invalid_request_error"
    assert (error["param"], error["code"]) == (mistake.param, mistake.code)
    assert mistake.param in error["message"]
    assert mistake.words in error["message"]


@streaming
def test_an_unknown_model_is_not_found(ask_openai: Ask, ask_anthropic: Ask, stream: bool) -> None:
    unknown = {**RIGHT, "model": 'a "new" one', "stream": stream}
    with pytest.raises(openai.NotFoundError, match="GET /v1/models lists those that do") as caught:
        ask_openai(CHAT, unknown)
    error = caught.value
    assert (error.param, error.code) == ("model", "model_not_found")
    assert error.type == "invalid_request_error"
    with pytest.raises(anthropic.NotFoundError) as refused:
        ask_anthropic("messages", {**unknown, "max_tokens": 5})
    body: Any = refused.value.body
    assert body["error"]["type"] == "not_found_error"
    assert "'a \"new\" one'" in body["error"]["message"]


@streaming
def test_what_is_right_passes(
    ask_openai: Ask, ask_anthropic: Ask, front: Front, stream: bool
) -> None:
    passed = front.passed
    ask_openai(CHAT, {**RIGHT, "stream": stream})
    ask_anthropic("messages", {**RIGHT, "max_tokens": 5, "stream": stream})
    assert front.passed == passed + 2


def _assert_told(error: openai.APIStatusError, mistake: Mistake) -> None:
    assert error.status_code == 400
    assert (error.param, error.code) == (mistake.param, mistake.code)
    assert error.type == "invalid_request_error"
    body: Any = error.body
    assert mistake.param in body["message"]
    assert mistake.words in body["message"]
