"""What the clients that people use send, and what they make of our errors."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from epp.openai.answer import AnswerReader
from epp.openai.apis import PARSERS
from epp.openai.errors import anthropic_error_body, error_body
from epp.openai.request import Invalid, Request
from epp.openai.usage import Usage
from epp.openai.validation import Validation, parser
from tests.openai.loopback import Server, serve

PICTURE = "data:image/png;base64," + base64.b64encode(b"picture").decode()


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(Server()) as serving:
        yield serving


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as made:
        yield made


@pytest.fixture
def claude(server: Server) -> Iterator[Any]:
    with anthropic.Anthropic(base_url=server.url, api_key="none", max_retries=0) as made:
        yield made


def last(server: Server) -> Request:
    request = server.read[-1]
    assert isinstance(request, Request), request
    return request


def test_a_chat_with_parts_and_tools(server: Server, client: Any) -> None:
    client.chat.completions.create(
        model="m",
        max_completion_tokens=5,
        tools=[{"type": "function", "function": {"name": "add", "parameters": {}}}],
        messages=[
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": PICTURE}},
                ],
            },
        ],
    )
    request = last(server)
    assert (request.operation, request.model, request.max_tokens) == ("chat", "m", 5)
    assert request.prompt.startswith("\x1e[tools\x1e]")
    assert "\x1e<system\x1e>Be brief.\x1e<user\x1e>What is this?\n\x1e@image_url:" in request.prompt


def test_a_streamed_chat(server: Server, client: Any) -> None:
    server.content_type = "text/event-stream"
    server.body = b"data: [DONE]\n\n"
    messages = [{"role": "user", "content": "Hi"}]
    assert not list(client.chat.completions.create(model="m", messages=messages, stream=True))
    assert last(server) == Request("chat", "m", "\x1e<user\x1e>Hi", stream=True)


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Hi", "Hi"),
        (["Hi", "you"], "Hi\x1e,you"),
        ([1, 2], "\x1e#1,2,"),
        ([[1], [2]], "\x1e#[1],[2],"),
    ],
)
def test_completions_and_embeddings(server: Server, client: Any, prompt: Any, text: str) -> None:
    client.completions.create(model="m", prompt=prompt, max_tokens=5)
    assert last(server) == Request("completion", "m", text, max_tokens=5)
    server.body = b'{"data": [{"embedding": []}]}'
    client.embeddings.create(model="m", input=prompt)
    assert last(server) == Request("embeddings", "m", text)


def test_responses_and_conversations(server: Server, client: Any) -> None:
    items = [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]
    client.responses.create(model="m", input=items, instructions="Be brief.", max_output_tokens=5)
    prompt = "\x1e<system\x1e>Be brief.\x1e<user\x1e>Hi"
    assert last(server) == Request("responses", "m", prompt, max_tokens=5)
    client.conversations.create(items=items)
    assert last(server) == Request("conversations", "", "\x1e<user\x1e>Hi")
    client.conversations.create()
    assert last(server) == Request("conversations")


def test_pictures_and_speech(server: Server, client: Any) -> None:
    client.images.generate(model="m", prompt="A cat")
    assert last(server) == Request("image_generation", "m", "A cat")
    client.audio.speech.create(model="m", input="Hi", voice="alloy")
    assert last(server) == Request("speech", "m", "Hi")


def test_uploads_of_sound(server: Server, client: Any) -> None:
    sound = ("a.wav", b"RIFF\r\n\r\n" * 1000)
    client.audio.transcriptions.create(model="whisper", file=sound, prompt="Names: Ann")
    request = last(server)
    assert (request.operation, request.model, request.stream) == ("transcription", "whisper", False)
    assert request.prompt.startswith("Names: Ann\x1e@file:")


def test_a_streamed_upload(server: Server, client: Any) -> None:
    server.content_type = "text/event-stream"
    server.body = b"data: [DONE]\n\n"
    list(client.audio.transcriptions.create(model="m", file=("a.wav", b"x"), stream=True))
    assert last(server).stream


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"),
        (404, "NotFoundError"),
        (413, "APIStatusError"),
        (429, "RateLimitError"),
        (500, "InternalServerError"),
        (503, "InternalServerError"),
    ],
)
def test_errors_arrive_with_all_their_fields(
    server: Server, client: Any, status: int, name: str
) -> None:
    server.status = status
    server.body = error_body(status, 'Not "this".', code="some_code", param="model")
    with pytest.raises(getattr(openai, name)) as caught:
        client.completions.create(model="m", prompt="Hi")
    error = caught.value
    assert (error.status_code, error.code, error.param) == (status, "some_code", "model")
    assert error.body["message"] == 'Not "this".'
    assert error.type in {"invalid_request_error", "rate_limit_error", "server_error"}


def test_messages_of_anthropic(server: Server, claude: Any) -> None:
    server.body = b'{"content": []}'
    asked = {"model": "c", "messages": [{"role": "user", "content": "Hi"}], "system": "Be brief."}
    claude.messages.create(**asked, max_tokens=5)
    prompt = "\x1e<system\x1e>Be brief.\x1e<user\x1e>Hi"
    assert last(server) == Request("messages", "c", prompt, max_tokens=5)
    claude.messages.count_tokens(**asked)
    assert last(server) == Request("count_tokens", "c")


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (400, "BadRequestError", "invalid_request_error"),
        (404, "NotFoundError", "not_found_error"),
        (413, "RequestTooLargeError", "request_too_large"),
        (415, "APIStatusError", "invalid_request_error"),
        (429, "RateLimitError", "rate_limit_error"),
        (500, "InternalServerError", "api_error"),
        (503, "ServiceUnavailableError", "overloaded_error"),
        (504, "DeadlineExceededError", "timeout_error"),
    ],
)
def test_the_client_of_anthropic_understands_our_errors(
    server: Server, claude: Any, status: int, name: str, kind: str
) -> None:
    server.status = status
    server.body = anthropic_error_body(status, 'Not "this".', code="some_code", param="messages")
    with pytest.raises(getattr(anthropic._exceptions, name)) as caught:
        claude.messages.create(model="c", messages=[], max_tokens=5)
    body: Any = caught.value.body
    assert caught.value.status_code == status
    assert body["type"] == "error"
    assert body["error"] == {
        "message": 'Not "this".',
        "type": kind,
        "code": "some_code",
        "param": "messages",
    }


def test_a_strict_refusal_reaches_both_clients_with_its_place(
    server: Server, client: Any, claude: Any
) -> None:
    strict = parser(PARSERS, Validation.STRICT)
    turns: Any = [{"role": "user", "content": "Hi"}, {"role": "boss", "content": 'Say "no".'}]
    asked = json.dumps({"model": "m", "messages": turns, "max_tokens": 5}).encode()
    server.status = 400
    found = strict("/v1/chat/completions", "", asked)
    assert isinstance(found, Invalid)
    server.body = error_body(400, found.message, code=found.code, param=found.param)
    with pytest.raises(openai.BadRequestError, match=r"expected 'assistant'") as caught:
        client.chat.completions.create(model="m", messages=turns)
    assert (caught.value.param, caught.value.code) == ("messages[1].role", "invalid_value")
    found = strict("/v1/messages", "", asked)
    assert isinstance(found, Invalid)
    server.body = anthropic_error_body(400, found.message, code=found.code, param=found.param)
    with pytest.raises(anthropic.BadRequestError, match=r"messages\[1\]\.role"):
        claude.messages.create(model="m", messages=turns, max_tokens=5)


def test_usage_is_what_the_client_reads(server: Server, client: Any) -> None:
    server.body = b'{"usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}}'
    theirs = client.completions.create(model="m", prompt="Hi").usage
    reader = AnswerReader("application/json")
    reader.feed(server.body)
    reader.end()
    assert reader.usage == Usage(
        theirs.prompt_tokens, theirs.completion_tokens, theirs.total_tokens
    )
