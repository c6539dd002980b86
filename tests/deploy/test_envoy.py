"""deploy/ is accepted by a real Envoy and works with a real picker."""

from __future__ import annotations

import re
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from epp.demo import envoy
from epp.demo.ports import free_port
from epp.discovery.file import load_targets
from tests.e2e.canary import perched
from tests.e2e.gateway import CHAT, PROMPT
from tests.e2e.picker import Picker, serving
from tests.e2e.upstream import Upstream, listening

pytestmark = pytest.mark.envoy

DEPLOY = Path(__file__).parents[2] / "deploy"
PLAINTEXT = re.compile(r"      # Remove this block .*?(?=      load_assignment:)", re.DOTALL)


def duplex(text: str) -> str:
    return text


def buffered(text: str) -> str:
    """What README.md says to change."""
    edited = text.replace("FULL_DUPLEX_STREAMED", "BUFFERED")
    return edited.replace("# allow_mode_override: true", "allow_mode_override: true")


def plaintext(text: str) -> str:
    return PLAINTEXT.sub("", text)


def with_ports(text: str, listen: int, admin: int, picker: int) -> str:
    """The file on ports of this test, and on loopback alone."""
    for old, new in {8080: listen, 9901: admin, 9002: picker}.items():
        assert text.count(f"port_value: {old} ") == 1
        text = text.replace(f"port_value: {old} ", f"port_value: {new} ")
    return text.replace("address: 0.0.0.0", "address: 127.0.0.1")


@pytest.mark.parametrize("edit", [duplex, buffered, plaintext])
def test_envoy_accepts_the_configuration(edit: Callable[[str], str], tmp_path: Path) -> None:
    original = (DEPLOY / "envoy.yaml").read_text()
    config = tmp_path / "envoy.yaml"
    config.write_text(edit(original))

    result = subprocess.run(
        [envoy.binary(), "--mode", "validate", "--config-path", config, "--log-level", "warning"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert (result.returncode, result.stderr.strip()) == (0, "")
    assert (edit is duplex) == (config.read_text() == original)


@asynccontextmanager
async def sidecar(
    picker: Picker, directory: Path, edit: Callable[[str], str]
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of deploy/envoy.yaml."""
    listen, admin = free_port(), free_port()
    config = directory / "envoy.yaml"
    text = edit((DEPLOY / "envoy.yaml").read_text())
    config.write_text(with_ports(text, listen, admin, picker.port))
    async with (
        envoy.running_file(config, admin),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{listen}", timeout=20) as client,
    ):
        yield client


def name_it(upstream: Upstream, directory: Path) -> str:
    """An endpoints file with one server."""
    path = directory / "endpoints.yaml"
    path.write_text(f"endpoints:\n- address: {upstream.host}\n  port: {upstream.port}\n")
    return f"--endpoints-file={path}"


@pytest.mark.parametrize(
    ("edit", "flags"), [(duplex, ()), (buffered, ()), (plaintext, ("--insecure",))]
)
async def test_a_request_reaches_the_server_and_not_what_the_client_names(
    edit: Callable[[str], str], flags: tuple[str, ...], tmp_path: Path
) -> None:
    async with (
        listening() as upstream,
        perched() as canary,
        serving([name_it(upstream, tmp_path), *flags], tmp_path) as picker,
        sidecar(picker, tmp_path, edit) as client,
    ):
        bait = {"x-gateway-destination-endpoint": canary.address, "x-ai-eg-model": "other"}
        answer = await client.post(CHAT, json=PROMPT, headers=bait)
        large = await client.post(
            CHAT, json=PROMPT | {"user": "x" * 1_000_000}, headers={"x-answer-bytes": "100000"}
        )

    assert [answer.status_code, large.status_code] == [200, 200]
    assert len(large.content) == 100_000
    assert canary.connections == 0
    assert [request.path for request in upstream.requests] == [CHAT, CHAT]
    seen = upstream.requests[0].headers
    assert seen["x-gateway-destination-endpoint"] == upstream.address
    assert seen["x-ai-eg-model"] == PROMPT["model"]


async def test_a_client_s_destination_is_dropped_even_without_a_picker(tmp_path: Path) -> None:
    async with (
        listening() as upstream,
        perched() as canary,
        serving([name_it(upstream, tmp_path)], tmp_path) as picker,
        sidecar(picker, tmp_path, without_picker) as client,
    ):
        bait = {"x-gateway-destination-endpoint": canary.address}
        answer = await client.get("/v1/models", headers=bait)

    assert (answer.status_code, answer.text) == (503, "no healthy upstream")
    assert canary.connections == 0


def without_picker(text: str) -> str:
    """As if the filter had been forgotten."""
    forgotten = re.compile(
        r"                  - name: envoy.filters.http.ext_proc\n.*?"
        r"(?=                  - name: envoy.filters.http.router)",
        re.DOTALL,
    )
    edited, count = forgotten.subn("", text)
    assert count == 1
    return edited


def test_the_sample_of_an_endpoints_file_is_good() -> None:
    targets = load_targets(DEPLOY / "endpoints.yaml")

    assert len(targets) == 9
    assert {target.engine for target in targets} == {"auto", "sglang"}
