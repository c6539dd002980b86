"""Requests through Envoy in every combination of body mode and override, and what comes back."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.e2e.gateway import CHAT, PROMPT, Gateway
from tests.e2e.upstream import Upstream

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="session")]

Upstreams = tuple[Upstream, Upstream]
REASON = "x-llm-d-request-dropped-reason"


def arrived(upstreams: Upstreams) -> int:
    return sum(len(upstream.requests) for upstream in upstreams)


def last(upstreams: Upstreams, request_id: str) -> tuple[Upstream, int]:
    """Where the request with that id arrived, and its place there."""
    ((upstream, index),) = [
        (upstream, index)
        for upstream in upstreams
        for index, request in enumerate(upstream.requests)
        if request.headers.get("x-test") == request_id
    ]
    return upstream, index


async def test_a_chat_request_arrives_unchanged_at_the_endpoint_that_was_picked(
    gateway: Gateway, upstreams: Upstreams
) -> None:
    test = f"unchanged-{gateway.options.listen_port}"

    response = await gateway.chat({"x-test": test})

    upstream, index = last(upstreams, test)
    request = upstream.requests[index]
    assert response.status_code == 200
    assert response.json()["choices"][0]["message"]["content"] == "hello"
    assert (request.method, request.path) == ("POST", CHAT)
    assert json.loads(request.body) == PROMPT
    assert request.headers["x-gateway-destination-endpoint"] == upstream.address
    assert request.headers["x-ai-eg-model"] == "m"


async def test_another_model_serves_where_the_request_says_so(
    gateway: Gateway, upstreams: Upstreams
) -> None:
    test = f"rewritten-{gateway.options.listen_port}"

    response = await gateway.chat({"x-test": test, "x-llm-d-model-name-rewrite": "m-version-2"})

    upstream, index = last(upstreams, test)
    request = upstream.requests[index]
    assert response.status_code == 200
    assert json.loads(request.body) == PROMPT | {"model": "m-version-2"}
    assert request.headers["x-ai-eg-model"] == "m"
    assert "x-llm-d-model-name-rewrite" not in request.headers


async def test_a_streamed_chat_is_complete(gateway: Gateway) -> None:
    streamed = await gateway.stream({"x-answer-events": "40"})

    events = streamed.body.decode().split("\n\n")
    assert streamed.status == 200
    assert len(events) == 42
    assert events[-2] == "data: [DONE]"


async def test_a_request_without_a_body_is_routed(gateway: Gateway) -> None:
    response = await gateway.client.get("/v1/models")

    assert response.status_code == 200
    assert response.json()["data"][0]["id"] == "m"


async def test_an_empty_post_is_routed(gateway: Gateway, upstreams: Upstreams) -> None:
    test = f"empty-{gateway.options.listen_port}"

    response = await gateway.client.post("/reset_prefix_cache", headers={"x-test": test})

    upstream, index = last(upstreams, test)
    assert response.status_code == 200
    assert upstream.requests[index].body == b""


async def test_a_body_of_unknown_length_is_routed(gateway: Gateway, upstreams: Upstreams) -> None:
    test = f"chunked-{gateway.options.listen_port}"
    body = json.dumps(PROMPT).encode()

    async def pieces() -> AsyncIterator[bytes]:
        yield body[:9]
        await asyncio.sleep(0.01)
        yield body[9:]

    response = await gateway.client.post(CHAT, content=pieces(), headers={"x-test": test})

    upstream, index = last(upstreams, test)
    assert response.status_code == 200
    assert upstream.requests[index].body == body


async def test_a_body_that_ends_with_trailers_is_routed(
    gateway: Gateway, upstreams: Upstreams
) -> None:
    test = f"trailers-{gateway.options.listen_port}"
    body = json.dumps(PROMPT).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\nx-test: {test}\r\ntransfer-encoding: chunked\r\n"
    chunk = b"%x\r\n%b\r\n" % (len(body), body)

    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.options.listen_port)
    writer.write(head.encode() + b"connection: close\r\n\r\n" + chunk + b"0\r\nx-sum: 1\r\n\r\n")
    async with asyncio.timeout(10):
        response = await reader.read()
    writer.close()

    upstream, index = last(upstreams, test)
    assert response.startswith(b"HTTP/1.1 200")
    assert upstream.requests[index].body == body


async def test_a_large_prompt_arrives_whole(gateway: Gateway, upstreams: Upstreams) -> None:
    test = f"large-{gateway.options.listen_port}"
    duplex = gateway.options.mode == "duplex"
    content = "word " * (1_000_000 if duplex else 6_000)  # buffered, Envoy takes 32 KiB

    response = await gateway.chat({"x-test": test}, messages=[{"role": "user", "content": content}])

    upstream, index = last(upstreams, test)
    assert response.status_code == 200
    assert json.loads(upstream.requests[index].body)["messages"][0]["content"] == content


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"model": "m", "messages": [', "JSON"),
        (b'{"messages": [{"role": "user", "content": "hello"}]}', "model"),
        (b'{"model": "m\\r\\nx-evil: 1", "messages": []}', "model"),
    ],
    ids=["cut", "no-model", "header-injection"],
)
async def test_a_body_that_cannot_be_routed_is_refused_as_openai_would(
    gateway: Gateway, upstreams: Upstreams, body: bytes, says: str
) -> None:
    before = arrived(upstreams)

    response = await gateway.client.post(CHAT, content=body)

    error = response.json()["error"]
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json"
    assert response.headers[REASON]
    assert error["type"] == "invalid_request_error"
    assert says in error["message"]
    assert set(error) == {"message", "type", "code", "param"}
    assert arrived(upstreams) == before


async def test_a_body_above_the_limit_is_refused(gateway: Gateway, upstreams: Upstreams) -> None:
    before = arrived(upstreams)

    response = await gateway.client.post(CHAT, content=gateway.too_large)

    assert response.status_code == 413
    assert arrived(upstreams) == before
    if gateway.options.mode == "duplex":  # else the answer is Envoy's own
        assert response.json()["error"]["message"]
        assert response.headers[REASON]


async def test_an_error_of_the_endpoint_is_passed_on(gateway: Gateway) -> None:
    response = await gateway.chat({"x-answer-status": "503"})

    assert response.status_code == 503
    assert response.json()["error"]["message"] == "as asked"


async def test_many_at_once_all_get_their_own_answer(gateway: Gateway) -> None:
    responses: list[httpx.Response] = []

    async def ask() -> None:
        responses.append(await gateway.chat())

    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(ask())

    assert [response.status_code for response in responses] == [200] * 50


async def test_the_route_without_the_picker_does_not_call_it(
    gateway: Gateway, plain: Upstream
) -> None:
    before = await gateway.stat("cluster.picker.upstream_rq_total")
    arrived_before = len(plain.requests)

    response = await gateway.client.post("/plain", content=gzip.compress(b"anything"))

    assert response.status_code == 200
    assert len(plain.requests) == arrived_before + 1
    assert await gateway.stat("cluster.picker.upstream_rq_total") == before
