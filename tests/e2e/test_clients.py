"""The clients that people use, before Envoy, a picker with a model table and simulated servers."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import brotli
import httpx
import openai
import pytest
import pytest_asyncio
from msgspec import structs
from pydantic import BaseModel

from epp.demo.bootstrap import Mode
from epp.demo.sim.options import SimOptions
from epp.demo.sim.server import SimServer
from epp.openai.zstd import zstd
from tests.e2e.conftest import options, session
from tests.e2e.gateway import TIMEOUT_S, Gateway, open_gateway
from tests.e2e.picker import Picker, serving

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="session")]

SERVED = SimOptions(
    port=0,
    served_model_name=("base", "next", "only-here"),
    loras=("poet",),
    time_scale=50,
    name="sim",
)
SERVED_TOO = structs.replace(
    SERVED, served_model_name=("only-there", "next", "base"), loras=("bard", "poet")
)
LISTED = [
    *("bard", "base", "canary", "elsewhere", "gpt-4o", "next"),
    *("only-here", "only-there", "poet"),
]
CONFIG = """\
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins: [{type: queue-scorer}]
validate: strict
models:
  unknown: refuse
  table:
    - {name: base, aliases: [gpt-4o], adapters: [poet]}
    - {name: canary, targets: [{model: base, weight: 1}, {model: next, weight: 1}]}
    - {name: elsewhere, endpointLabels: {there: none}}
"""
CODINGS = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstd.compress}
HELLO: Any = [{"role": "user", "content": "hello " * 30}]
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


@session
async def sims() -> AsyncIterator[list[SimServer]]:
    async with SimServer(SERVED) as one, SimServer(SERVED_TOO) as two:
        yield [one, two]


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["native", "grpcio"])
async def knowing(
    request: pytest.FixtureRequest,
    sims: list[SimServer],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Picker]:
    folder = tmp_path_factory.mktemp("knowing")
    config = folder / "config.yaml"
    config.write_text(CONFIG)
    flags = [f"--config-file={config}", f"--transport={request.param}"]
    flags += [f"--endpoint={sim.url}" for sim in sims]
    async with serving(flags, folder) as process:
        yield process


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["duplex", "buffered"])
async def front(
    request: pytest.FixtureRequest, knowing: Picker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    mode: Mode = request.param
    chosen = options(knowing, mode=mode, allow_mode_override=mode == "buffered")
    async with open_gateway(chosen, knowing, tmp_path_factory.mktemp("envoy")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def client(front: Gateway) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=f"{front.url}/v1", api_key="none", max_retries=0
    ) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def claude(front: Gateway) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(base_url=front.url, api_key="none", max_retries=0) as made:
        yield made


@pytest.mark.parametrize("model", ["base", "gpt-4o", "poet", "canary"])
async def test_a_chat_by_each_of_a_model_s_names(client: openai.AsyncOpenAI, model: str) -> None:
    answer = await client.chat.completions.create(model=model, messages=HELLO, max_tokens=5)
    assert answer.choices[0].message.content
    stream = await client.chat.completions.create(
        model=model, messages=HELLO, max_tokens=5, stream=True
    )
    chunks = [chunk async for chunk in stream]
    said = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(said) == answer.choices[0].message.content
    assert {answer.model, *(chunk.model for chunk in chunks)} == {model}


@pytest.mark.parametrize("coding", CODINGS)
async def test_the_model_of_a_compressed_chat_is_read(front: Gateway, coding: str) -> None:
    async def compress(request: Any) -> None:
        body = CODINGS[coding](request.content)
        request.headers["content-encoding"] = coding
        request.headers["content-length"] = str(len(body))
        request.stream = type(request.stream)(body)

    async with (
        openai.DefaultAsyncHttpxClient(event_hooks={"request": [compress]}) as http,
        openai.AsyncOpenAI(
            base_url=f"{front.url}/v1", api_key="none", max_retries=0, http_client=http
        ) as made,
    ):
        with pytest.raises(openai.NotFoundError, match="'gpt-5' does not exist"):
            await made.chat.completions.create(model="gpt-5", messages=HELLO)


async def test_openai_s_client_that_waits(front: Gateway) -> None:
    asked: Any = {"model": "gpt-4o", "messages": HELLO, "max_tokens": 5}

    def ask() -> None:
        with openai.OpenAI(base_url=f"{front.url}/v1", api_key="none", max_retries=0) as made:
            answer = made.chat.completions.create(**asked)
            chunks = list(made.chat.completions.create(**asked, stream=True))
        assert answer.usage is not None
        assert (answer.model, answer.usage.completion_tokens) == ("gpt-4o", 5)
        said = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
        assert "".join(said) == answer.choices[0].message.content
        assert {chunk.model for chunk in chunks} == {"gpt-4o"}

    await asyncio.to_thread(ask)


async def test_anthropic_s_client_that_waits(front: Gateway) -> None:
    asked: Any = {"model": "gpt-4o", "messages": HELLO, "max_tokens": 5}

    def ask() -> None:
        with anthropic.Anthropic(base_url=front.url, api_key="none", max_retries=0) as made:
            answer = made.messages.create(**asked)
            with made.messages.stream(**asked) as stream:
                said = "".join(stream.text_stream)
                assert stream.get_final_message().model == "gpt-4o"
        assert answer.content[0].type == "text"
        assert (answer.model, answer.usage.output_tokens) == ("gpt-4o", 5)
        assert said == answer.content[0].text

    await asyncio.to_thread(ask)


async def test_tools(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(
        model="gpt-4o", messages=HELLO, tools=[ADD], tool_choice="required"
    )
    (call,) = answer.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert json.loads(call.function.arguments) == {"a": 0}
    done = [
        *HELLO,
        answer.choices[0].message,
        {"role": "tool", "tool_call_id": call.id, "content": "5"},
    ]
    answer = await client.chat.completions.create(model="gpt-4o", messages=done, tools=[ADD])
    assert answer.choices[0].message.content
    async with client.chat.completions.stream(
        model="gpt-4o", messages=HELLO, tools=[ADD]
    ) as stream:
        last = await stream.get_final_completion()
    (call,) = last.choices[0].message.tool_calls or []
    assert json.loads(call.function.arguments) == {"a": 0}


async def test_structured_output(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.parse(
        model="gpt-4o", messages=HELLO, response_format=Point
    )
    assert answer.choices[0].message.parsed == Point(x=0, label="")


async def test_the_other_apis(client: openai.AsyncOpenAI) -> None:
    text = await client.completions.create(model="gpt-4o", prompt="hello", max_tokens=5)
    assert text.choices[0].text
    response = await client.responses.create(model="gpt-4o", input="hello", max_output_tokens=5)
    assert response.output_text
    assert {text.model, response.model} == {"gpt-4o"}
    stream = await client.responses.create(
        model="gpt-4o", input="hello", max_output_tokens=5, stream=True
    )
    events = [event async for event in stream]
    said = [e.delta for e in events if e.type == "response.output_text.delta"]
    ends = [e.response for e in events if e.type in ("response.created", "response.completed")]
    assert [end.model for end in ends] == ["gpt-4o", "gpt-4o"]
    assert "".join(said) == response.output_text
    embeddings = await client.embeddings.create(model="gpt-4o", input=["a", "b"])
    assert len(embeddings.data) == 2


async def test_anthropic_s_messages(claude: anthropic.AsyncAnthropic) -> None:
    asked: Any = {"model": "gpt-4o", "messages": HELLO, "max_tokens": 5, "system": "Be brief."}
    answer = await claude.messages.create(**asked)
    assert answer.content[0].type == "text"
    assert (answer.model, answer.usage.output_tokens) == ("gpt-4o", 5)
    async with claude.messages.stream(**asked) as stream:
        said = "".join([piece async for piece in stream.text_stream])
        assert (await stream.get_final_message()).model == "gpt-4o"
    assert said == answer.content[0].text


async def test_the_models_of_all_servers_and_of_the_table_are_one_list(
    client: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic
) -> None:
    async with asyncio.timeout(TIMEOUT_S):  # a picker may be ready before each server has told
        while (listed := [model.id async for model in client.models.list()]) != LISTED:
            assert set(listed) < set(LISTED)
    assert [model.id async for model in claude.models.list()] == LISTED
    for name in LISTED:
        assert (await client.models.retrieve(name)).id == name
        assert (await claude.models.retrieve(name)).display_name == name
    parents = [(await client.models.retrieve(name)).to_dict().get("parent") for name in LISTED]
    assert dict(zip(LISTED, parents, strict=True))["poet"] == "base"
    with pytest.raises(openai.NotFoundError) as caught:
        await client.models.retrieve("gpt-5")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


async def test_an_unknown_model_is_not_found(
    client: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic
) -> None:
    with pytest.raises(openai.NotFoundError, match="'gpt-5' does not exist") as caught:
        await client.chat.completions.create(model="gpt-5", messages=HELLO)
    assert caught.value.code == "model_not_found"
    with pytest.raises(anthropic.NotFoundError) as refused:
        await claude.messages.create(model="gpt-5", messages=HELLO, max_tokens=5)
    body: Any = refused.value.body
    assert body["error"]["type"] == "not_found_error"


async def test_a_model_whose_endpoints_are_away_is_unavailable(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.InternalServerError, match="'elsewhere'") as caught:
        await client.chat.completions.create(model="elsewhere", messages=HELLO)
    assert caught.value.status_code == 503


async def test_a_mistake_is_named_by_its_place(
    client: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic
) -> None:
    wrong = [*HELLO, {"role": "boss", "content": 'Say "no".'}]
    with pytest.raises(openai.BadRequestError, match="expected 'assistant'") as caught:
        await client.chat.completions.create(model="gpt-4o", messages=wrong)
    assert (caught.value.param, caught.value.code) == ("messages[1].role", "invalid_value")
    assert caught.value.type == "invalid_request_error"
    with pytest.raises(anthropic.BadRequestError) as refused:
        await claude.messages.create(model="gpt-4o", messages=wrong, max_tokens=5)
    body: Any = refused.value.body
    assert body["type"] == "error"
    assert body["error"]["param"] == "messages[1].role"


async def test_a_deadline_that_has_passed_is_a_timeout(front: Gateway) -> None:
    answer: httpx.Response = await front.client.post(
        "/v1/chat/completions",
        json={"model": "base", "messages": HELLO},
        headers={"x-llm-d-request-timeout-ms": "0"},
    )
    assert answer.status_code == 504
    assert answer.json()["error"]["code"] == "deadline_exceeded"
