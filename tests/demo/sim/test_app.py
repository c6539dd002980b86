from __future__ import annotations

import asyncio
import re

import httpx
import openai as sdk
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam
from prometheus_client.parser import text_string_to_metric_families as parse

from epp.demo.sim.server import SimServer

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello " * 40}]


async def test_a_conversation_is_answered(openai: AsyncOpenAI) -> None:
    answer = await openai.chat.completions.create(model="base", messages=HELLO, max_tokens=7)
    assert re.fullmatch(r"chatcmpl-[0-9a-f]{16}", answer.id)
    assert answer.model == "base"
    assert answer.choices[0].finish_reason == "length"
    assert re.fullmatch(r"([a-z]{3} ){7}", answer.choices[0].message.content or "")
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 7
    assert answer.usage.prompt_tokens == 2 + 60 + 2 + 4  # <|user|>, text, <|end|>, <|assistant|>
    assert answer.system_fingerprint


async def test_a_stream_says_the_same_word_by_word(openai: AsyncOpenAI) -> None:
    whole = await openai.chat.completions.create(model="base", messages=HELLO, max_tokens=5)
    stream = await openai.chat.completions.create(
        model="base",
        messages=HELLO,
        max_completion_tokens=5,
        stream=True,
        stream_options={"include_usage": True},
    )
    *chunks, last = [chunk async for chunk in stream]
    assert chunks[0].choices[0].delta.role == "assistant"
    words = [chunk.choices[0].delta.content or "" for chunk in chunks[1:]]
    assert len(words) == 5
    assert "".join(words) == whole.choices[0].message.content
    reasons = [chunk.choices[0].finish_reason for chunk in chunks]
    assert reasons == [None] * 5 + ["length"]
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.total_tokens == 73
    assert len({chunk.id for chunk in (*chunks, last)}) == 1


async def test_usage_is_streamed_only_on_request(openai: AsyncOpenAI) -> None:
    stream = await openai.chat.completions.create(
        model="base", messages=HELLO, max_tokens=2, stream=True
    )
    assert [chunk.usage async for chunk in stream] == [None] * 3


async def test_a_text_is_continued(openai: AsyncOpenAI) -> None:
    whole = await openai.completions.create(model="base", prompt="abcdef", max_tokens=3)
    stream = await openai.completions.create(
        model="base", prompt="abcdef", max_tokens=3, stream=True
    )
    assert whole.id.startswith("cmpl-")
    assert whole.usage is not None
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (2, 3)
    assert [chunk.choices[0].text async for chunk in stream] == re.findall(
        "....", whole.choices[0].text
    )


async def test_the_second_turn_finds_the_first_in_the_cache(openai: AsyncOpenAI) -> None:
    first = await openai.chat.completions.create(model="base", messages=HELLO, max_tokens=20)
    text = first.choices[0].message.content or ""
    turn: list[ChatCompletionMessageParam] = [
        *HELLO,
        {"role": "assistant", "content": text},
        {"role": "user", "content": "go on"},
    ]
    second = await openai.chat.completions.create(model="base", messages=turn, max_tokens=1)
    assert first.usage is not None
    assert first.usage.prompt_tokens_details is not None
    assert first.usage.prompt_tokens_details.cached_tokens == 0
    assert second.usage is not None
    assert second.usage.prompt_tokens_details is not None
    assert second.usage.prompt_tokens_details.cached_tokens == (68 + 20 - 1) // 16 * 16


async def test_the_model_may_be_left_out_and_the_id_be_given(http: httpx.AsyncClient) -> None:
    answer = await http.post(
        "/v1/completions",
        json={"prompt": "x", "max_tokens": 1},
        headers={"x-request-id": "mine"},
    )
    assert (answer.json()["id"], answer.json()["model"]) == ("cmpl-mine", "base")


async def test_models_and_adapters_are_listed(openai: AsyncOpenAI) -> None:
    assert [model.id async for model in openai.models.list()] == ["base", "poet"]


async def test_an_adapter_answers_under_its_name(openai: AsyncOpenAI) -> None:
    answer = await openai.chat.completions.create(model="poet", messages=HELLO, max_tokens=1)
    assert answer.model == "poet"


async def test_an_unknown_model_is_not_found(openai: AsyncOpenAI) -> None:
    with pytest.raises(sdk.NotFoundError, match="no model named 'other'") as caught:
        await openai.chat.completions.create(model="other", messages=HELLO)
    assert caught.value.param == "model"


async def test_a_prompt_that_is_too_long_is_a_bad_request(openai: AsyncOpenAI) -> None:
    with pytest.raises(sdk.BadRequestError, match="context length is 131072 tokens"):
        await openai.completions.create(model="base", prompt="word" * 131_072)


async def test_what_is_not_json_is_a_bad_request(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/chat/completions", content=b"{")
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "BadRequestError"


async def test_errors_happen_as_often_as_they_are_told_to(
    server: SimServer, openai: AsyncOpenAI
) -> None:
    server.set_faults(error_rate=1.0)
    with pytest.raises(sdk.InternalServerError):
        await openai.chat.completions.create(model="base", messages=HELLO)
    server.set_faults(error_rate=0.0)
    await openai.chat.completions.create(model="base", messages=HELLO, max_tokens=1)


async def test_a_hanging_server_takes_the_request_and_does_not_answer(
    server: SimServer, http: httpx.AsyncClient
) -> None:
    server.set_faults(hang=True)
    with pytest.raises(httpx.ReadTimeout):
        await http.post("/v1/completions", json={"prompt": "x"}, timeout=0.1)
    assert (await http.get("/health")).status_code == 200


async def test_the_page_tells_what_happened(http: httpx.AsyncClient, openai: AsyncOpenAI) -> None:
    await openai.chat.completions.create(model="base", messages=HELLO, max_tokens=7)
    page = await http.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    totals = {s.name: s.value for family in parse(page.text) for s in family.samples}
    assert totals["vllm:generation_tokens_total"] == 7
    assert totals["vllm:prompt_tokens_total"] == 68


async def test_the_page_can_be_broken_in_three_ways(
    server: SimServer, http: httpx.AsyncClient
) -> None:
    server.set_faults(garbage_metrics=True)
    assert b"\xff" in (await http.get("/metrics")).content
    server.set_faults(metrics_off=True)
    assert (await http.get("/metrics")).status_code == 404
    server.set_faults(slow_metrics_s=60.0)
    with pytest.raises(httpx.ReadTimeout):
        await http.get("/metrics", timeout=0.1)


async def test_it_tells_how_late_its_steps_were(server: SimServer, http: httpx.AsyncClient) -> None:
    assert (await http.get("/sim/lateness")).json()["steps"] == 0
    await http.post("/v1/completions", json={"prompt": "a b c", "max_tokens": 3})
    told = (await http.get("/sim/lateness")).json()
    assert (told["steps"], told["lost_s"]) == (3, 0)
    assert told["worked_s"] > 0


async def test_faults_are_set_over_http(server: SimServer, http: httpx.AsyncClient) -> None:
    answer = await http.post("/sim/faults", json={"error_rate": 0.25, "hang": True})
    assert (await http.get("/sim/faults")).json() == answer.json()
    assert (server.faults.error_rate, server.faults.hang) == (0.25, True)
    assert (await http.post("/sim/faults", json={"hagn": True})).status_code == 400
    assert server.faults.hang


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("GET", "/v1/models", 200),
        ("POST", "/v1/completions", 400),
        ("GET", "/v1/nowhere", 404),
        ("GET", "/v1/completions", 405),
    ],
)
async def test_every_answer_says_who_gave_it(
    http: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await http.request(method, path)
    assert (answer.status_code, answer.headers["x-served-by"]) == (status, "replica-1")


async def test_many_streams_at_once_share_the_batch(server: SimServer, openai: AsyncOpenAI) -> None:
    async def length(number: int) -> int:
        stream = await openai.completions.create(
            model="base", prompt=f"{number}", max_tokens=50, stream=True
        )
        return sum([1 async for _ in stream])

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(length(number)) for number in range(16)]
    assert [task.result() for task in tasks] == [50] * 16
    assert server.engine.blocks.held == 0
