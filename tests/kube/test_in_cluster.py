from __future__ import annotations

from pathlib import Path

import pytest

from epp.kube.client import KubeClient
from epp.kube.errors import AccessError
from epp.kube.in_cluster import in_cluster, is_in_cluster
from tests.fakekube.certificates import Authority
from tests.fakekube.kinds import POD
from tests.fakekube.kube import FakeKube


def environment(host: str = "10.0.0.1", port: int = 6443) -> dict[str, str]:
    return {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": str(port)}


def mounted(folder: Path) -> Path:
    Authority(folder)  # writes ca.crt
    for name in ("token", "namespace"):
        (folder / name).write_text(f"{name} of the pod\n")
    return folder


async def test_a_pod_is_let_in(kube: FakeKube) -> None:
    access = in_cluster(environment("127.0.0.1", kube.port), kube.service_account)
    client = KubeClient(access)
    assert b"PodList" in await client.get(POD.path(access.namespace))
    await client.aclose()


async def test_what_is_mounted_is_read(tmp_path: Path) -> None:
    access = in_cluster(environment(), mounted(tmp_path))
    assert access.server == "https://10.0.0.1:6443"
    assert access.namespace == "namespace of the pod"
    assert access.trust.ca == (tmp_path / "ca.crt").read_bytes().strip()
    assert (await access.credentials.get()).token == "token of the pod"
    (tmp_path / "token").write_text("another")
    refused = await access.credentials.get()
    assert (await access.credentials.renew(refused)).token == "another"


def test_addresses_of_ipv6_are_bracketed(tmp_path: Path) -> None:
    access = in_cluster({"KUBERNETES_SERVICE_HOST": "fd00::1"}, mounted(tmp_path))
    assert access.server == "https://[fd00::1]:443"


@pytest.mark.parametrize("name", ["token", "ca.crt", "namespace"])
def test_what_is_not_mounted_is_named(tmp_path: Path, name: str) -> None:
    mounted(tmp_path)
    (tmp_path / name).write_text(" \n")
    with pytest.raises(AccessError, match=f"{tmp_path / name}: is empty"):
        in_cluster(environment(), tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(AccessError, match=f"{tmp_path / name}: .*automountServiceAccountToken"):
        in_cluster(environment(), tmp_path)


def test_a_pod_is_known_by_its_environment() -> None:
    assert is_in_cluster(environment())
    assert not is_in_cluster({})


def test_an_authority_that_is_none_is_named(tmp_path: Path) -> None:
    mounted(tmp_path)
    (tmp_path / "ca.crt").write_text("nonsense")
    with pytest.raises(AccessError, match=r"ca\.crt: the server's certificate authority is no PEM"):
        in_cluster(environment(), tmp_path)
