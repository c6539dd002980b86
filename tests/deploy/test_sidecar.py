"""Envoy and the picker in one pod: they fit together, and let answers end."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from deploy.envoy import render
from epp.config.settings import Settings
from epp.demo import envoy
from epp.demo.bootstrap import BootstrapOptions
from epp.demo.ports import free_port
from epp.discovery.file import load_targets
from epp.server.health import LIVENESS, READINESS
from tests.deploy.manifests import DEPLOY, Object, installs
from tests.deploy.picker_args import parsed
from tests.e2e.gateway import CHAT, PROMPT
from tests.e2e.upstream import listening

DRAIN = DEPLOY / "sidecar" / "drain.sh"
DEFAULTS = Settings()


def pod() -> Object:
    spec: Object = installs()["sidecar"].one("Deployment")["spec"]["template"]["spec"]
    return spec


def containers() -> tuple[Object, Object]:
    (picker,), (proxy,) = pod()["initContainers"], pod()["containers"]
    return picker, proxy


def config_map(volume: str) -> dict[str, str]:
    (source,) = (v["configMap"]["name"] for v in pod()["volumes"] if v["name"] == volume)
    data: dict[str, str] = installs()["sidecar"].one("ConfigMap", source)["data"]
    return data


def test_the_picker_outlives_envoy() -> None:
    picker, _ = containers()

    assert picker["restartPolicy"] == "Always"
    assert {picker[f"{kind}Probe"]["grpc"]["service"] for kind in ("startup", "liveness")} == {
        LIVENESS
    }
    assert picker["readinessProbe"]["grpc"]["service"] in READINESS
    ports = {port["name"]: port["containerPort"] for port in picker["ports"]}
    assert ports == {"health": DEFAULTS.grpc_health_port, "metrics": DEFAULTS.metrics_port}


def test_an_end_takes_no_longer_than_the_kubelet_waits() -> None:
    picker, proxy = containers()
    command = proxy["lifecycle"]["preStop"]["exec"]["command"]
    drain_s = sum(float(argument) for argument in command[-2:])

    assert (
        pod()["terminationGracePeriodSeconds"] > drain_s + parsed(picker["args"])["drain_timeout"]
    )


def test_each_container_finds_its_files() -> None:
    picker, proxy = containers()
    mounts = {
        mount["mountPath"]: config_map(mount["name"])
        for container in (picker, proxy)
        for mount in container["volumeMounts"]
    }
    named = [
        str(parsed(picker["args"])["endpoints_file"]),
        proxy["args"][proxy["args"].index("--config-path") + 1],
        proxy["lifecycle"]["preStop"]["exec"]["command"][1],
    ]

    for path in named:
        folder, _, name = path.rpartition("/")
        assert name in mounts[folder]
    assert len(mounts) == len(named)


def test_envoy_s_ports_are_the_picker_s_and_the_service_s() -> None:
    _, proxy = containers()
    bootstrap: Any = yaml.safe_load(config_map("envoy")["envoy.yaml"])
    (listener,) = bootstrap["staticResources"]["listeners"]
    (service,) = (
        s for s in installs()["sidecar"].all("Service") if s["metadata"]["name"] == "models"
    )
    (container_port,), (service_port,) = proxy["ports"], service["spec"]["ports"]

    assert listener["address"]["socketAddress"] == {
        "address": "0.0.0.0",
        "portValue": container_port["containerPort"],
    }
    assert service_port["targetPort"] == container_port["name"]
    assert config_map("envoy")["envoy.yaml"] == (render.FOLDER / "override.yaml").read_text()


def test_the_servers_are_the_pods_behind_a_name() -> None:
    (target,) = load_targets(DEPLOY / "sidecar" / "endpoints.yaml")
    service = installs()["sidecar"].one("Service", target.address.host)

    assert service["spec"]["clusterIP"] == "None"
    assert [target.address.port] == [port["port"] for port in service["spec"]["ports"]]
    assert (
        config_map("endpoints")["endpoints.yaml"]
        == (DEPLOY / "sidecar" / "endpoints.yaml").read_text()
    )


def test_nothing_is_allowed_that_is_not_needed() -> None:
    assert pod()["automountServiceAccountToken"] is False
    assert not installs()["sidecar"].all("Role")
    for container in containers():
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod()["securityContext"]["runAsNonRoot"] is True


@pytest.mark.envoy
async def test_it_waits_for_open_answers_and_no_longer(tmp_path: Path) -> None:
    listen, admin = free_port(), free_port()
    async with listening() as upstream:
        options = BootstrapOptions(
            listen_port=listen,
            admin_port=admin,
            picker_filters=0,
            plain_ports=(upstream.port,),
        )
        async with (
            envoy.running(options, tmp_path),
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{listen}", timeout=20) as client,
            asyncio.TaskGroup() as group,
        ):
            slow = {"x-answer-events": "8", "x-answer-gap-ms": "200"}
            prompt = PROMPT | {"stream": True}
            async with client.stream("POST", CHAT, json=prompt, headers=slow) as answer:
                drain = await drained(admin)
                end = group.create_task(drain.wait())
                body = b"".join([part async for part in answer.aiter_bytes()])
                early = end.done()
            assert await end == 0
            late = await client.post(CHAT, json=PROMPT)

    assert not early
    assert body.count(b"data:") >= 8
    assert late.headers["connection"] == "close"


async def drained(admin: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *("bash", str(DRAIN), "0", "15"),
        env=os.environ | {"ADMIN_PORT": str(admin)},
        stdin=subprocess.DEVNULL,
    )
