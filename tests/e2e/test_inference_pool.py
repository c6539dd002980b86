"""A pool of a cluster behind the routes of an AI gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from epp.demo import envoy
from epp.demo.ports import free_port
from tests.e2e.front import front
from tests.e2e.gateway import CHAT, PROMPT
from tests.e2e.picker import serving
from tests.e2e.upstream import Upstream, listening
from tests.fakekube.kube import FakeKube
from tests.fakekube.objects import pod, pool

pytestmark = pytest.mark.envoy

ROUTES = Path(__file__).parents[1] / "data" / "envoy" / "ai-gateway-routes.yaml"


@dataclass
class Site:
    """A cluster with one pod, a backend beside it, and a client in front of the gateway."""

    kube: FakeKube
    server: Upstream
    plain: Upstream
    client: httpx.AsyncClient
    metrics_port: int

    async def placed(self) -> int:
        """How many decisions the picker has made."""
        page = await self.client.get(f"http://127.0.0.1:{self.metrics_port}/decisions?limit=100")
        return len(page.json())


@asynccontextmanager
async def site(directory: Path) -> AsyncIterator[Site]:
    async with (
        FakeKube() as kube,
        listening() as server,
        listening() as plain,
        front() as first,
    ):
        kube.apply(pool("chat", server.port, app="vllm"))
        kube.apply(pod("a", ip="127.0.0.1", app="vllm"))
        flags = ["--pool=default/chat", f"--kubeconfig={kube.kubeconfig}"]
        async with serving([*flags, "--pod-network=127.0.0.0/8"], directory) as picker:
            listen, admin = free_port(), free_port()
            text = ROUTES.read_text()
            for old, new in {
                10080: listen,
                9901: admin,
                9002: picker.port,
                9004: first.port,
                8000: plain.port,
            }.items():
                text = text.replace(f"port_value: {old}}}", f"port_value: {new}}}")
            config = directory / "routes.yaml"
            config.write_text(text)
            base = f"http://127.0.0.1:{listen}"
            async with (
                envoy.running_file(config, admin),
                httpx.AsyncClient(base_url=base, timeout=20, trust_env=False) as client,
            ):
                yield Site(kube, server, plain, client, picker.metrics_port)


async def test_each_rule_of_a_gateway_leads_where_it_says(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        pooled = await there.client.post(CHAT, json=PROMPT)
        streamed = await there.client.post(CHAT, json=PROMPT | {"stream": True})
        direct = await there.client.post(CHAT, json=PROMPT, headers={"host": "direct.test"})
        assert [r.status_code for r in (pooled, streamed, direct)] == [200, 200, 200]
        assert streamed.text.endswith("data: [DONE]\n\n")
        assert len(there.server.requests) - metrics(there.server) == 3
        assert there.server.requests[-1].headers["x-ai-eg-model"] == "m"
        assert await there.placed() == 3

        plain = await there.client.post(CHAT, json=PROMPT | {"model": "m-plain"})
        nowhere = await there.client.post(CHAT, json=PROMPT | {"model": "unknown"})
        assert (plain.status_code, nowhere.status_code) == (200, 404)
        assert len(there.plain.requests) == 1
        assert await there.placed() == 3


async def test_a_pod_that_is_gone_gets_nothing_more(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        assert (await there.client.post(CHAT, json=PROMPT)).status_code == 200
        there.kube.apply(pod("a", ip="127.0.0.1", ready=False, app="vllm"))
        refused = await there.client.post(CHAT, json=PROMPT)
        async with asyncio.timeout(5):
            while refused.status_code == 200:
                refused = await there.client.post(CHAT, json=PROMPT)
        assert refused.status_code == 503
        assert refused.json()["error"]["type"] == "server_error"


def metrics(upstream: Upstream) -> int:
    return sum(request.path == "/metrics" for request in upstream.requests)
