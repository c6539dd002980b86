"""OpenAI's own client, which does not know that it talks to Envoy."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2 as httpx  # which the client is made of
import openai
import pytest

from tests.e2e.gateway import Gateway
from tests.e2e.upstream import Upstream

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="session")]


@asynccontextmanager
async def client(
    gateway: Gateway, http_client: httpx.AsyncClient | None = None
) -> AsyncIterator[openai.AsyncOpenAI]:
    opened = openai.AsyncOpenAI(
        base_url=f"{gateway.url}/v1", api_key="none", max_retries=0, http_client=http_client
    )
    async with opened:
        yield opened


class Compressing(httpx.AsyncHTTPTransport):
    """Sends every body as gzip."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = gzip.compress(await request.aread())
        headers = {**request.headers, "content-encoding": "gzip", "content-length": str(len(body))}
        packed = httpx.Request(
            request.method,
            request.url,
            headers=headers,
            content=body,
            extensions=request.extensions,
        )
        return await super().handle_async_request(packed)


async def test_it_chats(gateway: Gateway) -> None:
    async with client(gateway) as asking:
        answer = await asking.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "hello"}]
        )

    assert answer.choices[0].message.content == "hello"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 5


async def test_it_streams(gateway: Gateway) -> None:
    async with client(gateway) as asking:
        stream = await asking.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "hello"}], stream=True
        )
        parts = [chunk.choices[0].delta.content async for chunk in stream]

    assert parts == ["0 ", "1 ", "2 "]


async def test_it_chats_in_gzip(gateway: Gateway, upstreams: tuple[Upstream, Upstream]) -> None:
    web = httpx.AsyncClient(transport=Compressing())
    async with client(gateway, web) as asking:
        answer = await asking.chat.completions.create(
            model="packed", messages=[{"role": "user", "content": "hello"}]
        )
        stream = await asking.chat.completions.create(
            model="packed", messages=[{"role": "user", "content": "hello"}], stream=True
        )
        parts = [chunk.choices[0].delta.content async for chunk in stream]

    assert answer.choices[0].message.content == "hello"
    assert parts == ["0 ", "1 ", "2 "]
    arrived = [
        request
        for upstream in upstreams
        for request in upstream.requests
        if request.headers.get("x-ai-eg-model") == "packed"  # it was read from inside
    ]
    assert [request.headers["content-encoding"] for request in arrived[-2:]] == ["gzip", "gzip"]


async def test_it_lists_models(gateway: Gateway) -> None:
    async with client(gateway) as asking:
        models = [model.id async for model in asking.models.list()]

    assert models == ["m"]


async def test_it_takes_a_refusal_for_a_bad_request(gateway: Gateway) -> None:
    async with client(gateway) as asking:
        with pytest.raises(openai.BadRequestError) as caught:
            await asking.chat.completions.create(
                model="", messages=[{"role": "user", "content": "hello"}]
            )

    assert caught.value.type == "invalid_request_error"
    assert "model" in caught.value.message


async def test_it_sees_the_endpoint_s_own_error(gateway: Gateway) -> None:
    async with client(gateway) as asking:
        with pytest.raises(openai.RateLimitError, match="as asked"):
            await asking.chat.completions.create(
                model="m",
                messages=[{"role": "user", "content": "hello"}],
                extra_headers={"x-answer-status": "429"},
            )
