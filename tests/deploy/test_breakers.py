"""More than 1,024 requests at a time behind AI Gateway: the settings work on a real Envoy."""

from __future__ import annotations

from pathlib import Path

import httpx
import msgspec
import pytest

from epp.demo import envoy
from epp.demo.bootstrap import BootstrapOptions, render
from epp.demo.clusters import PICKER
from epp.demo.ports import free_port
from tests.deploy.manifests import Object, ai_gateway, installs

# Where Envoy Gateway's own bootstrap has its settings; the patches are for the first layer.
LAYERS = "/layered_runtime/layers/0/static_layer/"


def settings() -> dict[str, int]:
    (proxy,) = (found for _, found in ai_gateway() if found["kind"] == "EnvoyProxy")
    patches = proxy["spec"]["bootstrap"]["jsonPatches"]
    return {patch["path"].removeprefix(LAYERS): patch["value"] for patch in patches}


def cluster_name(pool: Object) -> str:
    """As AI Gateway names the cluster of a pool's picker."""
    metadata = pool["metadata"]
    return f"envoy.clusters.endpointpicker_{metadata['name']}_{metadata['namespace']}_ext_proc"


def test_the_settings_name_the_pool_s_picker() -> None:
    name = cluster_name(installs()["kubernetes"].one("InferencePool"))

    assert settings() == {
        f"circuit_breakers.{name}.default.{kind}": 40_000
        for kind in ("max_requests", "max_pending_requests", "max_connections")
    }


@pytest.mark.envoy
@pytest.mark.parametrize("raised", [False, True])
async def test_envoy_looks_them_up_by_the_cluster_s_name(raised: bool, tmp_path: Path) -> None:
    name = cluster_name(installs()["kubernetes"].one("InferencePool"))
    admin = free_port()
    options = BootstrapOptions(listen_port=free_port(), admin_port=admin)
    bootstrap = msgspec.json.decode(
        render(options).replace(f'"{PICKER}"'.encode(), f'"{name}"'.encode())
    )
    base = {"name": "global_config", "static_layer": {"re2.max_program_size.warn_level": 1000}}
    if raised:
        base["static_layer"] = {"re2.max_program_size.warn_level": 1000, **settings()}
    bootstrap["layered_runtime"] = {"layers": [base]}
    config = tmp_path / "envoy.json"
    config.write_bytes(msgspec.json.encode(bootstrap))

    async with (
        envoy.running_file(config, admin),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{admin}") as client,
    ):
        answer = await client.get("/clusters")

    lines = set(answer.text.splitlines())
    limit = 40_000 if raised else 1_024
    for kind in ("max_requests", "max_pending_requests", "max_connections"):
        assert f"{name}::default_priority::{kind}::{limit}" in lines
        assert f"pool::default_priority::{kind}::1024" in lines
