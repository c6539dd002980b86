"""What the client sees of what the picker changed, through a real Envoy."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from itertools import product
from typing import Any

import httpx
import openai
import pytest
import pytest_asyncio

from epp.demo.bootstrap import Mode
from epp.demo.sim.options import SimOptions
from epp.demo.sim.server import SimServer
from tests.e2e.conftest import COMBINATIONS, NAMES, options
from tests.e2e.gateway import Gateway, open_gateway
from tests.e2e.picker import Picker, serving
from tests.e2e.upstream import Upstream
from tests.openai.said import SAID, SSE, asked

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="session")]

CONFIG = """\
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins: [{type: queue-scorer}]
models:
  table:
    - {name: for-clients, targets: [{model: m}]}
llmRequestCosts:
  - {metadataKey: llm_total_token, type: TotalToken}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def renaming(
    upstreams: tuple[Upstream, Upstream], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Picker]:
    """A picker with an alias, and with costs, for which it asks each stream for its usage."""
    directory = tmp_path_factory.mktemp("renaming")
    (directory / "picker.yaml").write_text(CONFIG)
    flags = [f"--endpoint={upstreams[0].url}", f"--config-file={directory / 'picker.yaml'}"]
    async with serving(flags, directory) as picker:
        yield picker


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=COMBINATIONS, ids=NAMES)
async def renamed(
    request: pytest.FixtureRequest, renaming: Picker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    mode: Mode
    mode, override = request.param
    chosen = options(renaming, mode=mode, allow_mode_override=override)
    async with open_gateway(chosen, renaming, tmp_path_factory.mktemp("envoy")) as gateway:
        yield gateway


def events(body: bytes) -> list[dict[str, Any]]:
    assert body.endswith(b"data: [DONE]\n\n")
    bodies = [event.removeprefix(b"data: ") for event in body.split(b"\n\n")[:-2]]
    return [json.loads(data) for data in bodies]


async def test_json_has_the_name_that_the_client_asked_for(renamed: Gateway) -> None:
    for length in (0, 20_000):
        response = await renamed.chat({"x-answer-bytes": str(length)}, model="for-clients")
        assert response.status_code == 200, response.text
        assert response.json()["model"] == "for-clients"
        assert response.content.startswith(b'{"id": "c", "object": "chat.completion", "created"')
        assert len(response.content) >= length


@pytest.mark.parametrize("piece_bytes", [0, 1, 7, 1000])
async def test_each_event_has_that_name_and_usage_is_not_shown(
    renamed: Gateway, piece_bytes: int
) -> None:
    headers = {"x-answer-piece-bytes": str(piece_bytes)}
    response = await renamed.chat(headers, model="for-clients", stream=True)
    seen = events(response.content)
    assert [event["model"] for event in seen] == ["for-clients"] * 3
    assert [event["choices"][0]["delta"]["content"] for event in seen] == ["0 ", "1 ", "2 "]


async def test_every_api_is_answered_under_that_name(renamed: Gateway) -> None:
    for said, piece_bytes in product(SAID, (0, 1, 7)):
        body, kind = asked(said.path, "for-clients", streams=said.content_type == SSE)
        steering = {"x-answer-as": said.name, "x-answer-piece-bytes": str(piece_bytes)}
        response = await renamed.client.post(
            said.path, content=body, headers={"content-type": kind, **steering}
        )
        expected = said.body
        if said.model:
            expected = expected.replace(b'"model": "m"', b'"model": "for-clients"')
        assert (response.status_code, response.content) == (200, expected), said.name


async def test_a_client_that_asks_for_usage_gets_it(renamed: Gateway) -> None:
    asked: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
    response = await renamed.chat(model="for-clients", **asked)
    assert events(response.content)[-1]["usage"]["total_tokens"] == 5
    assert len(events(response.content)) == 4


async def test_an_answer_under_its_own_name_is_not_changed(renamed: Gateway) -> None:
    response = await renamed.chat(model="m")
    assert response.json()["model"] == "m"


# --- the simulated vLLM, and OpenAI's own client --------------------------------------------------


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def simulating(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Picker]:
    directory = tmp_path_factory.mktemp("simulating")
    (directory / "picker.yaml").write_text(CONFIG)
    options = SimOptions(port=0, served_model_name=("m",), time_scale=10)
    async with SimServer(options) as server:
        flags = [f"--endpoint={server.url}", f"--config-file={directory / 'picker.yaml'}"]
        async with serving(flags, directory) as picker:
            yield picker


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=COMBINATIONS, ids=NAMES)
async def simulated(
    request: pytest.FixtureRequest, simulating: Picker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    mode, override = request.param
    chosen = options(simulating, mode=mode, allow_mode_override=override)
    async with open_gateway(chosen, simulating, tmp_path_factory.mktemp("envoy")) as gateway:
        yield gateway


async def test_openais_client_sees_its_own_model_and_no_usage_that_it_did_not_ask_for(
    simulated: Gateway,
) -> None:
    prompt: dict[str, Any] = {"model": "for-clients", "max_tokens": 6}
    prompt |= {"messages": [{"role": "user", "content": "Tell me a story."}]}
    async with openai.AsyncOpenAI(base_url=f"{simulated.url}/v1", api_key="none") as client:
        whole = await client.chat.completions.create(**prompt)
        stream = await client.chat.completions.create(**prompt, stream=True)
        chunks = [chunk async for chunk in stream]
        text = await client.completions.create(model="for-clients", prompt="Tell", max_tokens=3)

    assert whole.usage is not None
    assert whole.usage.completion_tokens == 6
    assert {answer.model for answer in (whole, text, *chunks)} == {"for-clients"}
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert said == whole.choices[0].message.content


async def test_the_metrics_tell_models_and_endpoints_apart(simulated: Gateway) -> None:
    await simulated.chat(model="for-clients", stream=True, max_tokens=5)
    async with httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{simulated.picker.metrics_port}/metrics"
        page = (await client.get(url)).text
    models = (
        'gen_ai_original_model="for-clients",gen_ai_request_model="m",gen_ai_response_model="m"'
    )
    for name in (
        "client_token_usage",
        "server_request_duration_seconds",
        "server_time_to_first_token_seconds",
        "server_time_per_output_token_seconds",
    ):
        counted = rf'gen_ai_{name}_count{{gen_ai_operation_name="chat",[^}}]*{models},endpoint="127'
        assert re.search(counted, page), name
    for name in ("requests_total", "tokens_total", "ttft_seconds_count", "itl_seconds_count"):
        assert f"llm_d_epp_endpoint_{name}{{" in page, name
