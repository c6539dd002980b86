"""Servers of Ollama's kind behind a real Envoy: no queue to see, and models that come and go."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from epp.config.presets import PRESETS
from epp.demo.bootstrap import Mode
from epp.demo.fleet import fleet
from epp.demo.sim.options import SimOptions
from tests.e2e.conftest import options
from tests.e2e.gateway import CHAT, Gateway, open_gateway
from tests.e2e.picker import serving

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="session")]

MODELS = ("llama3:latest", "qwen3:8b")


@pytest.fixture(scope="module", params=PRESETS)
def preset(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="module", params=["duplex", "buffered"])
def mode(request: pytest.FixtureRequest) -> Mode:
    chosen: Mode = request.param
    return chosen


def ollama(name: str, **changes: Any) -> SimOptions:
    return SimOptions(port=0, engine="ollama", name=name, served_model_name=MODELS, **changes)


@asynccontextmanager
async def in_front(
    replicas: Sequence[SimOptions], preset: str, mode: Mode, directory: Path
) -> AsyncIterator[tuple[Gateway, list[str]]]:
    """Servers, a picker with a preset as it is, and an Envoy; yields it and the servers' URLs."""
    async with fleet(replicas) as urls:
        flags = [*(f"--endpoint={url}" for url in urls), f"--preset={preset}"]
        async with (
            serving(flags, directory) as picker,
            open_gateway(
                options(picker, mode=mode, buffer_limit_bytes=1 << 20), picker, directory
            ) as gateway,
        ):
            yield gateway, urls


def chat(model: str, number: int, words: int = 20) -> dict[str, Any]:
    text = f"{number} " + "word " * words
    return {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": 5}


async def loaded(client: httpx.AsyncClient, url: str, model: str) -> None:
    """Have a server load a model."""
    answer = await client.post(f"{url}{CHAT}", json=chat(model, 0))
    assert answer.status_code == 200
    names = [entry["name"] for entry in (await client.get(f"{url}/api/ps")).json()["models"]]
    assert names == [model]


async def known(gateway: Gateway, memories: Sequence[set[str]]) -> None:
    """Wait until the picker has read what is in whose memory; what it asks for loads nothing."""
    async with asyncio.timeout(15):
        while True:
            await gateway.client.post(CHAT, json=chat("nobody", 0))
            candidates = (await gateway.decisions())[0]["candidates"]
            found = [set((each["inputs"] or {}).get("loaded", ())) for each in candidates]
            if all(memory in found for memory in memories):
                return
            await asyncio.sleep(0.1)


async def test_a_model_that_is_in_memory_draws_its_requests(
    preset: str, mode: Mode, tmp_path: Path
) -> None:
    replicas = [ollama(f"replica-{n}", max_loaded_models=1, model_load_s=0.5) for n in range(3)]
    async with in_front(replicas, preset, mode, tmp_path) as (gateway, urls):
        await loaded(gateway.client, urls[0], "llama3:latest")
        await loaded(gateway.client, urls[1], "qwen3:8b")
        await known(gateway, [{"llama3", "llama3:latest"}, {"qwen3:8b"}])
        served: dict[str, Counter[str]] = {model: Counter() for model in MODELS}
        for number in range(12):
            model = MODELS[number % 2]
            answer = await gateway.client.post(CHAT, json=chat(model, number))
            served[model][answer.headers["x-served-by"]] += 1
    assert served == {MODELS[0]: {"replica-0": 6}, MODELS[1]: {"replica-1": 6}}


async def test_when_the_one_that_has_it_is_swamped_others_load_it(
    preset: str, mode: Mode, tmp_path: Path
) -> None:
    slow = {"max_loaded_models": 1, "model_load_s": 0.5}
    async with in_front(
        [ollama("replica-0", **slow), ollama("replica-1", **slow)], preset, mode, tmp_path
    ) as (gateway, urls):
        await loaded(gateway.client, urls[0], MODELS[0])
        await known(gateway, [{"llama3", "llama3:latest"}])
        async with asyncio.TaskGroup() as group:
            asking = [
                group.create_task(gateway.client.post(CHAT, json=chat(MODELS[0], n, words=8000)))
                for n in range(30)
            ]
        answers = [task.result() for task in asking]
        served = Counter(answer.headers["x-served-by"] for answer in answers)
    assert {answer.status_code for answer in answers} == {200}
    assert served["replica-0"] >= 4
    assert served["replica-1"] >= 4


async def test_the_faster_server_gets_more_of_a_steady_stream(
    preset: str, mode: Mode, tmp_path: Path
) -> None:
    replicas = [ollama("slow", speed=0.02), ollama("fast", speed=0.2)]
    async with in_front(replicas, preset, mode, tmp_path) as (gateway, _):
        asking = []
        async with asyncio.TaskGroup() as group:
            for number in range(60):
                body = chat(MODELS[0], number, words=200)
                asking.append(group.create_task(gateway.client.post(CHAT, json=body)))
                await asyncio.sleep(0.05)
        served = Counter(task.result().headers["x-served-by"] for task in asking)
    assert sum(served.values()) == 60
    assert served["fast"] >= 1.5 * served["slow"], served


async def test_openais_client_streams_from_it(preset: str, mode: Mode, tmp_path: Path) -> None:
    async with (
        in_front([ollama("only")], preset, mode, tmp_path) as (gateway, _),
        openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="ollama") as asking,
    ):
        stream = await asking.chat.completions.create(
            model="qwen3:8b",
            messages=[{"role": "user", "content": "Say hello"}],
            max_tokens=5,
            stream=True,
        )
        words = [chunk.choices[0].delta.content async for chunk in stream if chunk.choices]
        models = {model.id async for model in asking.models.list()}
    assert len([word for word in words if word]) == 5
    assert models == set(MODELS)
