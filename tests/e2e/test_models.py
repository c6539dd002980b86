"""The model table through Envoy: routes that are chosen by the model, and a picker called twice."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from epp.demo import envoy
from epp.demo.bootstrap import Mode, render
from tests.e2e.conftest import StartGateway, StartPicker, options
from tests.e2e.gateway import CHAT, PROMPT, Gateway, open_gateway
from tests.e2e.picker import serving
from tests.e2e.upstream import Upstream, listening

pytestmark = [pytest.mark.envoy]

CONFIG = """\
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins: [{type: queue-scorer}]
models:
  clearRouteCache: true
  table:
    - {name: base, aliases: [gpt-4o]}
    - {name: special}
"""
MODES: list[Mode] = ["duplex", "buffered"]


@pytest.fixture
def flags(tmp_path: Path) -> list[str]:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    return [f"--config-file={config}"]


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with listening() as server:
        yield server


@pytest.mark.parametrize("mode", MODES)
async def test_envoy_routes_by_the_model_that_the_picker_found(
    start_picker: StartPicker, upstream: Upstream, flags: list[str], tmp_path: Path, mode: Mode
) -> None:
    async with (
        listening() as other,
        start_picker(f"--endpoint={upstream.url}", *flags) as picker,
    ):
        chosen = options(picker, mode=mode, plain_ports=(other.port,))
        config = json.loads(render(chosen))
        (listener,) = config["staticResources"]["listeners"]
        manager = listener["filterChains"][0]["filters"][0]["typedConfig"]
        routes = manager["routeConfig"]["virtualHosts"][0]["routes"]
        by_model = {"name": "x-ai-eg-model", "stringMatch": {"exact": "special"}}
        plain = next(route for route in routes if route["name"] == "plain")
        routes.insert(
            0,
            {"match": {"prefix": "/", "headers": [by_model]}, "route": plain["route"]},
        )
        path = tmp_path / "routes.json"
        path.write_text(json.dumps(config))
        url = f"http://127.0.0.1:{chosen.listen_port}"
        async with (
            envoy.running_file(path, chosen.admin_port),
            httpx.AsyncClient(base_url=url, timeout=20) as client,
        ):
            for model in ("special", "base"):
                answer = await client.post(CHAT, json=PROMPT | {"model": model})
                assert answer.status_code == 200
        for server, model in ((other, "special"), (upstream, "base")):
            (request,) = [r for r in server.requests if r.path == CHAT]
            assert json.loads(request.body)["model"] == model


@pytest.mark.parametrize("mode", MODES)
async def test_a_picker_that_is_called_twice_rewrites_once(
    start_picker: StartPicker,
    start_gateway: StartGateway,
    upstream: Upstream,
    flags: list[str],
    mode: Mode,
) -> None:
    async with (
        start_picker(f"--endpoint={upstream.url}", *flags) as picker,
        start_gateway(picker, mode=mode, allow_mode_override=True, picker_filters=2) as gateway,
    ):
        answer = await gateway.chat(model="gpt-4o")
        (request,) = [r for r in upstream.requests if r.path == CHAT]
        decisions = await gateway.decisions()
    assert answer.status_code == 200
    assert json.loads(request.body) == PROMPT | {"model": "base"}
    assert request.headers["x-ai-eg-model"] == "gpt-4o"
    assert len(decisions) == 1


CANARY = """\
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins: [{type: queue-scorer}]
models:
  table: [{name: m, targets: [{model: v1, weight: 2}, {model: v2, weight: 1}]}]
"""
SESSIONS, OPENINGS = range(10), range(10)


@pytest.fixture
def canary_config(tmp_path: Path) -> Path:
    config = tmp_path / "config.yaml"
    config.write_text(CANARY)
    return config


@asynccontextmanager
async def sharing(upstream: Upstream, config: Path, folder: Path) -> AsyncIterator[Gateway]:
    """A picker of one's own, and its Envoy."""
    flags = [f"--endpoint={upstream.url}", f"--config-file={config}", "--transport=native"]
    async with (
        serving(flags, folder) as picker,
        open_gateway(options(picker), picker, folder) as gateway,
    ):
        yield gateway


async def variants(gateway: Gateway, upstream: Upstream, turns: int) -> list[str]:
    """The model that got each conversation's turn of that number, from 1."""
    before = len(upstream.requests)
    for n in SESSIONS:
        say = [{"role": "user", "content": f"turn {turns}"}]
        await gateway.chat({"x-session-id": f"session {n}"}, messages=say)
    for n in OPENINGS:
        await gateway.chat(messages=list(islice(_conversation(n), 2 * turns - 1)))
    asked = upstream.requests[before:]
    return [json.loads(request.body)["model"] for request in asked if request.path == CHAT]


def _conversation(number: int) -> Any:
    yield {"role": "user", "content": f"question {number}"}
    while True:
        yield {"role": "assistant", "content": "answer"}
        yield {"role": "user", "content": "and then?"}


async def test_a_conversation_keeps_its_canary_across_pickers_and_their_restarts(
    upstream: Upstream, canary_config: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def start() -> AbstractAsyncContextManager[Gateway]:
        return sharing(upstream, canary_config, tmp_path_factory.mktemp("picker"))

    async with start() as one, start() as other:
        first = await variants(one, upstream, 1)
        assert await variants(other, upstream, 2) == first
    async with start() as again:
        assert await variants(again, upstream, 3) == first
    assert len(first) == len(SESSIONS) + len(OPENINGS)
    for of_a_kind in (first[: len(SESSIONS)], first[len(SESSIONS) :]):
        assert set(of_a_kind) == {"v1", "v2"}
