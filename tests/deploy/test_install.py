"""The picker starts as an install starts it, with the rights that the install gives to it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest

from tests.deploy.manifests import Object, installs
from tests.e2e.picker import serving
from tests.e2e.upstream import listening
from tests.fakekube.kinds import LEASE, OBJECTIVE, REWRITE, Kind
from tests.fakekube.kube import FakeKube
from tests.fakekube.objects import pod

ACCESS = ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
INSTALLS = ["kubernetes", "components", "all-pools", "helm-default", "helm-standby"]


def arguments(deployment: Object) -> list[str]:
    """What the container is told, with its environment put in."""
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    namespace = deployment["metadata"]["namespace"]
    return [flag.replace("$(NAMESPACE)", namespace) for flag in container["args"][1:]]


def with_port(pool: Object, port: int) -> Object:
    return {**pool, "spec": {**pool["spec"], "targetPorts": [{"number": port}]}}


async def endpoints(metrics_port: int, count: int) -> None:
    """Wait until the picker knows so many endpoints."""
    url = f"http://127.0.0.1:{metrics_port}/metrics"
    known = re.compile(rf"^llm_d_epp_ready_endpoints{{.*}} {count}(\.0)?$", re.MULTILINE)
    async with httpx.AsyncClient() as client, asyncio.timeout(5):
        while not known.search((await client.get(url)).text):
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("name", INSTALLS)
@pytest.mark.parametrize("absent", [set(), {OBJECTIVE, REWRITE}], ids=["all", "pools"])
async def test_the_picker_gets_ready_under_its_role(
    name: str, absent: set[Kind], tmp_path: Path
) -> None:
    install = installs()[name]
    deployment, pool = install.one("Deployment"), install.one("InferencePool")
    kube = FakeKube(
        roles=[found for found in install.objects if found["kind"] in ACCESS],
        namespace=deployment["metadata"]["namespace"],
        account=deployment["spec"]["template"]["spec"]["serviceAccountName"],
    )
    async with listening() as server, kube:
        kube.served.difference_update(absent)
        kube.apply(with_port(pool, server.port))
        kube.apply(pod("a", ip="127.0.0.1", **pool["spec"]["selector"]["matchLabels"]))
        flags = [*arguments(deployment), f"--kubeconfig={kube.kubeconfig}"]
        # A test's pods are on loopback, where no cluster has any.
        async with serving([*flags, "--pod-network=127.0.0.0/8"], tmp_path) as picker:
            await endpoints(picker.metrics_port, 1)
            log = picker.log_path.read_text()

        leases = kube.names(LEASE)

    assert "orbidden" not in log
    elected = "--ha-enable-leader-election" in flags
    assert len(leases) == elected
