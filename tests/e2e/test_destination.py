"""The picker says where a request goes; the client never does."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import httpx
import pytest

from tests.e2e.canary import Canary
from tests.e2e.conftest import StartGateway, StartPicker
from tests.e2e.gateway import CHAT, PROMPT, Gateway
from tests.e2e.picker import Picker
from tests.e2e.upstream import Upstream, listening

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="session")]

Upstreams = tuple[Upstream, Upstream]
DESTINATION = "x-gateway-destination-endpoint"


def lure(canary: Canary) -> dict[str, str]:
    return {DESTINATION: canary.address, "x-request-id": "00000000-0000-4000-8000-000000000000"}


async def test_a_client_s_own_destination_is_not_followed(gateway: Gateway, canary: Canary) -> None:
    client, bait = gateway.client, lure(canary)

    answers = {
        "chat": await gateway.chat(bait),
        "no body": await client.get("/v1/models", headers=bait),
        "empty body": await client.post("/v1/models", headers=bait),
        "unknown path": await client.post("/anything", json={"a": 1}, headers=bait),
        "not JSON": await client.post(CHAT, content=b"{", headers=bait),
        "no model": await client.post(CHAT, json={"messages": []}, headers=bait),
        "too large": await client.post(CHAT, content=gateway.too_large, headers=bait),
        "own error": await gateway.chat({**bait, "x-answer-status": "500"}),
    }
    streamed = await gateway.stream(bait)

    assert {case: answer.status_code for case, answer in answers.items()} == {
        "chat": 200,
        "no body": 200,
        "empty body": 200,
        "unknown path": 200,
        "not JSON": 400,
        "no model": 400,
        "too large": 413,
        "own error": 500,
    }
    assert streamed.status == 200


async def test_two_destinations_of_a_client_are_not_followed_either(
    gateway: Gateway, canary: Canary
) -> None:
    bait = [(DESTINATION, canary.address), (DESTINATION, canary.address)]

    response = await gateway.client.post(CHAT, json=PROMPT, headers=bait)

    assert response.status_code == 200


@pytest.mark.parametrize("mode", ["duplex", "buffered"])
async def test_a_killed_picker_does_not_leave_the_choice_to_the_client(
    mode: str,
    upstreams: Upstreams,
    canary: Canary,
    start_picker: StartPicker,
    start_gateway: StartGateway,
) -> None:
    async with (
        start_picker(f"--endpoint={upstreams[0].url}") as picker,
        start_gateway(picker, mode=mode, allow_mode_override=True) as gateway,
    ):
        with contextlib.suppress(httpx.TransportError):  # how the stream ends is not the matter
            headers = lure(canary) | {"x-answer-events": "5", "x-answer-gap-ms": "100"}
            await gateway.stream(headers, on_first=picker.kill)
        await picker.ended()
        after = [
            await gateway.chat(lure(canary)),
            await gateway.client.get("/v1/models", headers=lure(canary)),
        ]

    assert [response.status_code for response in after] == [500, 500]


async def test_an_envoy_that_strips_does_so_before_any_route(
    picker: Picker, plain: Upstream, canary: Canary, start_gateway: StartGateway
) -> None:
    async with start_gateway(picker, strip_routing=True, plain_ports=(plain.port,)) as gateway:
        routed = await gateway.chat(lure(canary))
        await gateway.client.get("/plain", headers=lure(canary))

    assert routed.status_code == 200
    assert DESTINATION not in plain.requests[-1].headers


@pytest.mark.parametrize("mode", ["duplex", "buffered"])
async def test_an_empty_pool_is_a_503_and_not_the_client_s_choice(
    mode: str,
    tmp_path: Path,
    canary: Canary,
    start_picker: StartPicker,
    start_gateway: StartGateway,
) -> None:
    endpoints = await asyncio.to_thread(empty_file, tmp_path)
    async with (
        start_picker(f"--endpoints-file={endpoints}") as picker,
        start_gateway(picker, mode=mode) as gateway,
    ):
        answers = [
            await gateway.chat(lure(canary)),
            await gateway.chat(stream=True),
            await gateway.client.get("/v1/models", headers=lure(canary)),
        ]

    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["x-llm-d-request-dropped-reason"] == "rejected-no-endpoints"
        assert answer.json()["error"]["message"]


def empty_file(directory: Path) -> Path:
    path = directory / "endpoints.yaml"
    path.write_text("endpoints: []\n")
    return path


async def test_a_filter_that_is_there_twice_is_answered_by_one_decision(
    picker: Picker, upstreams: Upstreams, start_gateway: StartGateway
) -> None:
    before = sum(len(upstream.requests) for upstream in upstreams)

    async with start_gateway(picker, picker_filters=2) as gateway:
        answers = [await gateway.chat(model="asked-twice") for _ in range(10)]
        calls = await gateway.stat("cluster.picker.upstream_rq_total")
        decisions = await gateway.decisions()

    assert [answer.status_code for answer in answers] == [200] * 10
    assert sum(len(upstream.requests) for upstream in upstreams) == before + 10
    assert calls == 20
    assert [each["request"]["model"] for each in decisions].count("asked-twice") == 10


async def test_an_ipv6_endpoint_is_reached(
    start_picker: StartPicker, start_gateway: StartGateway
) -> None:
    async with (
        listening("::1") as upstream,
        start_picker(f"--endpoint={upstream.url}") as picker,
        start_gateway(picker) as gateway,
    ):
        answers = [await gateway.chat(), await gateway.client.get("/v1/models")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(upstream.requests) == 2
