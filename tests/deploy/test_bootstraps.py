"""deploy/envoy is what the builder makes, and carries a request to a real picker and back."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from deploy.envoy import render
from epp.demo import envoy
from epp.demo.ports import free_port
from tests.e2e.canary import perched
from tests.e2e.gateway import CHAT, PROMPT
from tests.e2e.picker import Picker, serving
from tests.e2e.upstream import Upstream, listening

NAMES = sorted(render.BOOTSTRAPS)


def test_nothing_has_drifted() -> None:
    assert render.stale() == []
    assert {path.stem for path in render.FOLDER.glob("*.yaml")} == {*NAMES, "kustomization"}


def test_drift_is_found(tmp_path: Path) -> None:
    for name, text in render.rendered().items():
        (tmp_path / name).write_text(text)
    assert render.stale(tmp_path) == []

    duplex = tmp_path / "duplex.yaml"
    duplex.write_text(duplex.read_text().replace("40000", "1024"))
    (tmp_path / "override.yaml").unlink()

    assert render.stale(tmp_path) == ["duplex.yaml", "override.yaml"]


@pytest.mark.envoy
@pytest.mark.parametrize("name", NAMES)
def test_envoy_accepts_it(name: str) -> None:
    config = render.FOLDER / f"{name}.yaml"

    result = subprocess.run(
        [envoy.binary(), "--mode", "validate", "--config-path", config, "--log-level", "warning"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert (result.returncode, result.stderr.strip()) == (0, "")


@asynccontextmanager
async def gateway(name: str, picker: Picker, directory: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the bootstrap, on ports of this test and loopback alone."""
    listen, admin = free_port(), free_port()
    text = (render.FOLDER / f"{name}.yaml").read_text()
    for old, new in {8080: listen, 9901: admin, 9002: picker.port}.items():
        text, count = re.subn(rf"portValue: {old}$", f"portValue: {new}", text, flags=re.MULTILINE)
        assert count == 1
    config = directory / "envoy.yaml"
    config.write_text(text.replace("address: 0.0.0.0", "address: 127.0.0.1"))
    async with (
        envoy.running_file(config, admin),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{listen}", timeout=20) as client,
    ):
        yield client


async def is_streamed(client: httpx.AsyncClient, upstream: Upstream) -> bool:
    """Whether the client has the first event before the server has sent the last one."""
    steps = {"x-answer-events": "3", "x-answer-gap-ms": "150"}
    prompt = PROMPT | {"stream": True}
    async with client.stream("POST", CHAT, json=prompt, headers=steps) as answer:
        assert answer.status_code == 200
        parts = answer.aiter_bytes()
        await anext(parts)
        first_at = time.monotonic()
        async for _ in parts:
            pass
    return first_at < upstream.requests[-1].sent_at[-1]


@pytest.mark.envoy
@pytest.mark.parametrize("name", NAMES)
async def test_it_serves_with_a_picker_of_default_flags(name: str, tmp_path: Path) -> None:
    async with (
        listening() as upstream,
        perched() as canary,
        serving([f"--endpoint={upstream.url}"], tmp_path) as picker,
        gateway(name, picker, tmp_path) as client,
    ):
        bait = {"x-gateway-destination-endpoint": canary.address, "x-ai-eg-model": "other"}
        answer = await client.post(CHAT, json=PROMPT, headers=bait)
        large = await client.post(CHAT, json=PROMPT | {"user": "x" * 3_000_000})
        streamed = await is_streamed(client, upstream)

    assert [answer.status_code, large.status_code] == [200, 200]
    assert canary.connections == 0
    assert upstream.requests[0].headers["x-gateway-destination-endpoint"] == upstream.address
    assert streamed == (name != "buffered")
