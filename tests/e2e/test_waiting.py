"""Requests that wait in the picker, through a real Envoy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import pytest_asyncio

from epp.demo.bootstrap import Mode
from tests.e2e.conftest import options
from tests.e2e.gateway import CHAT, Gateway, open_gateway
from tests.e2e.picker import Picker, serving
from tests.e2e.upstream import Upstream, listening

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="session")]

MOST = 6
CROWD = 500
LEAVING_ATTEMPTS, SOON_S = 10, 0.010  # another process may have the processor
# A server so slow, by the picker's reckoning, that one prompt is all that it can have before it.
CONFIG = """
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins:
- type: marginal-cost-scorer
- type: work-ledger-producer
  parameters: {{secondsPerToken: 0.05}}
flowControl:
  maxRequests: {most}
"""
# Its metrics, which would say that it has nothing to do, cannot be read.
SERVERS = "endpoints: [{{address: 127.0.0.1, port: {port}, metrics: {{port: 9}}}}]\n"
STALLED = {"x-answer-stall-after": "0"}


@pytest.fixture(scope="module", params=["native", "grpcio"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=["duplex", "buffered"])
def mode(request: pytest.FixtureRequest) -> Mode:
    chosen: Mode = request.param
    return chosen


@pytest_asyncio.fixture(loop_scope="session")
async def only() -> AsyncIterator[Upstream]:
    async with listening() as server:
        yield server


@asynccontextmanager
async def gated(
    only: Upstream, transport: str, mode: Mode, directory: Path, most: int = MOST
) -> AsyncIterator[Gateway]:
    """A picker of one server, which lets requests wait, and an Envoy before it."""
    config = directory / "epp.yaml"
    config.write_text(CONFIG.format(most=most))
    servers = directory / "servers.yaml"
    servers.write_text(SERVERS.format(port=only.port))
    flags = [f"--endpoints-file={servers}", f"--config-file={config}", f"--transport={transport}"]
    async with serving(flags, directory) as picker:
        chosen = options(picker, mode=mode, allow_mode_override=True)
        async with open_gateway(chosen, picker, directory) as gateway:
            yield gateway


async def waiting(picker: Picker, client: httpx.AsyncClient, count: int) -> None:
    """Wait until so many requests wait."""
    async with asyncio.timeout(10):
        while await queue_size(picker, client) != count:
            await asyncio.sleep(0.01)


async def queue_size(picker: Picker, client: httpx.AsyncClient) -> int:
    name = "llm_d_epp_flow_control_queue_size"
    url = f"http://127.0.0.1:{picker.metrics_port}/metrics"
    page = (await client.get(url, params={"name[]": name})).text
    lines = [line for line in page.splitlines() if line.startswith(f"{name}{{")]
    return sum(int(float(line.split()[-1])) for line in lines)


def body(number: int) -> dict[str, Any]:
    text = f"{number} " + "word " * 500
    return {"model": f"m{number}", "messages": [{"role": "user", "content": text}]}


async def test_a_burst_waits_and_is_answered_in_order_and_whole(
    only: Upstream, transport: str, mode: Mode, tmp_path: Path
) -> None:
    async with gated(only, transport, mode, tmp_path) as gateway, asyncio.TaskGroup() as group:
        client, picker = gateway.client, gateway.picker
        first = await holding(gateway, only, group)
        burst = []
        for number in range(1, MOST + 1):
            burst.append(group.create_task(client.post(CHAT, json=body(number))))
            await waiting(picker, client, number)
        await refused_to_a_real_client(gateway)
        burst.pop().cancel()
        await waiting(picker, client, MOST - 1)

        first.cancel()
        answers = [await task for task in burst]

        assert [answer.status_code for answer in answers] == [200] * (MOST - 1)
        sent = {request.headers["x-ai-eg-model"]: request.body for request in only.requests[1:]}
        assert sent == {f"m{n}": answers[n - 1].request.content for n in range(1, MOST)}
        order = [decision["request"]["model"] for decision in await gateway.decisions()]
        assert order == [f"m{n}" for n in reversed(range(MOST))]
        assert (await gateway.decisions())[0]["waited_ms"] > 0
        assert await queue_size(picker, client) == 0


async def test_who_gives_up_has_left_within_ten_milliseconds(
    only: Upstream, transport: str, mode: Mode, tmp_path: Path
) -> None:
    async with gated(only, transport, mode, tmp_path) as gateway, asyncio.TaskGroup() as group:
        first = await holding(gateway, only, group)
        took_s: list[float] = []
        while not took_s or (min(took_s) > SOON_S and len(took_s) < LEAVING_ATTEMPTS):
            second = group.create_task(gateway.client.post(CHAT, json=body(1)))
            await waiting(gateway.picker, gateway.client, 1)
            began = time.monotonic()
            second.cancel()
            while await queue_size(gateway.picker, gateway.client):
                pass
            took_s.append(time.monotonic() - began)
        assert min(took_s) <= SOON_S
        first.cancel()


async def test_all_who_wait_are_answered_after_sigterm(
    only: Upstream, transport: str, tmp_path: Path
) -> None:
    unlimited = httpx.Limits(max_connections=None)
    async with (
        gated(only, transport, "duplex", tmp_path, most=CROWD) as gateway,
        httpx.AsyncClient(base_url=gateway.url, limits=unlimited, timeout=60) as crowd,
        asyncio.TaskGroup() as group,
    ):
        first = await holding(gateway, only, group)
        asked = [group.create_task(crowd.post(CHAT, json=body(n))) for n in range(1, CROWD + 1)]
        await waiting(gateway.picker, gateway.client, CROWD)

        gateway.picker.terminate()
        await draining(gateway.picker)
        first.cancel()

        assert {(await task).status_code for task in asked} == {200}
        assert await gateway.picker.ended() == 0


async def holding(
    gateway: Gateway, only: Upstream, group: asyncio.TaskGroup
) -> asyncio.Task[httpx.Response]:
    """A request that the server does not finish, so that others wait."""
    stalled = body(0) | {"stream": True}
    first = group.create_task(gateway.client.post(CHAT, json=stalled, headers=STALLED))
    async with asyncio.timeout(10):
        while not only.requests:
            await asyncio.sleep(0.01)
    return first


async def draining(picker: Picker) -> None:
    async with asyncio.timeout(10):
        while "draining" not in await asyncio.to_thread(picker.log_path.read_text):
            await asyncio.sleep(0.02)


async def test_a_deadline_that_passes_while_a_request_waits_is_a_timeout(
    only: Upstream, transport: str, mode: Mode, tmp_path: Path
) -> None:
    async with gated(only, transport, mode, tmp_path) as gateway, asyncio.TaskGroup() as group:
        first = await holding(gateway, only, group)
        timely = {"x-llm-d-request-timeout-ms": "300"}
        async with openai.AsyncOpenAI(
            base_url=f"{gateway.url}/v1", api_key="none", max_retries=0
        ) as asking:
            with pytest.raises(openai.InternalServerError) as caught:
                await asking.chat.completions.create(**body(1), extra_headers=timely)
        assert caught.value.status_code == 504
        assert caught.value.code == "deadline_exceeded"
        page = f"http://127.0.0.1:{gateway.picker.metrics_port}/metrics"
        assert 'outcome="EvictedDeadline"' in (await gateway.client.get(page)).text
        assert len(only.requests) == 1
        first.cancel()


async def refused_to_a_real_client(gateway: Gateway) -> None:
    async with openai.AsyncOpenAI(
        base_url=f"{gateway.url}/v1", api_key="none", max_retries=0
    ) as asking:
        with pytest.raises(openai.RateLimitError) as caught:
            await asking.chat.completions.create(**body(99))
    assert int(caught.value.response.headers["retry-after"]) >= 1
    assert caught.value.code == "rate_limit_exceeded"
    reason = caught.value.response.headers["x-llm-d-request-dropped-reason"]
    assert reason == "rejected-capacity"
