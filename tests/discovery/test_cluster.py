"""What discovery makes of an API server, and of everything that one does to its clients."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
import yaml

from epp.discovery.cluster import ApiServer
from epp.discovery.kubernetes import PoolSource
from epp.kube.client import KubeClient
from epp.kube.errors import KubeError, UnreachableError
from epp.kube.find_access import find_access
from tests.discovery.published import Published
from tests.fakekube.faults import FAULTS, Fault
from tests.fakekube.fixtures import KubeApi, kube, kube_api
from tests.fakekube.kinds import OBJECTIVE, OLD_POOL, POD, POOL
from tests.fakekube.kube import FakeKube
from tests.fakekube.objects import pod, pool
from tests.kube.copy import QUICK

__all__ = ["kube", "kube_api"]

ROOT = Path(__file__).parents[2]
POOLS = ("inference.networking.k8s.io/v1", "inferencepools")
SERVED = b'{"kind": "APIResourceList", "resources": [{"name": "inferencepools"}]}'


class Scripted(KubeClient):
    """Answers `get` with one thing after the other."""

    def __init__(self, *answers: bytes | KubeError) -> None:
        self._answers: Iterator[bytes | KubeError] = iter(answers)

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> bytes:
        answer = next(self._answers)
        if isinstance(answer, KubeError):
            raise answer
        return answer


def scripted(*answers: bytes | KubeError) -> ApiServer:
    return ApiServer(Scripted(*answers), Random(1))


@pytest.mark.parametrize(
    ("answer", "served"),
    [
        (SERVED, True),
        (b'{"resources": []}', False),
        (KubeError("no", status=404), False),
        (KubeError("not for you", status=403), True),
    ],
)
async def test_what_is_served_is_what_the_server_lists(
    answer: bytes | KubeError, served: bool
) -> None:
    assert await scripted(answer).serves(*POOLS) is served


@pytest.mark.looptime
async def test_a_server_that_is_away_is_asked_again_after_longer_and_longer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    away = [UnreachableError("refused")] * 8
    assert await scripted(*away, b"<html>", SERVED).serves(*POOLS)
    waited_s = [vars(r)["retry_s"] for r in caplog.records]
    assert [r.levelno for r in caplog.records] == [logging.WARNING] * 9
    assert 0.8 <= waited_s[0] <= 1.6
    assert 1.6 <= waited_s[1] <= 3.2
    assert 30 <= waited_s[-1] <= 60
    assert asyncio.get_running_loop().time() == pytest.approx(sum(waited_s), abs=1)


@pytest.mark.looptime
async def test_a_server_that_says_when_is_asked_then() -> None:
    busy = KubeError("busy", status=429, retry_after_s=17)
    assert await scripted(busy, SERVED).serves(*POOLS)
    assert asyncio.get_running_loop().time() == 17


@pytest.fixture
async def server(kube: FakeKube) -> AsyncIterator[ApiServer]:
    client = KubeClient(await find_access(kube.kubeconfig), timeout_s=5.0)
    yield ApiServer(client, Random(1), QUICK)
    await client.aclose()


@asynccontextmanager
async def following(
    server: ApiServer, namespace: str = "default"
) -> AsyncIterator[tuple[PoolSource, Published]]:
    source = PoolSource(server, namespace, "chat", settle_s=0.01)
    published = Published()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        task = group.create_task(source.run(published))
        yield source, published
        task.cancel()


@pytest.mark.parametrize("fault", FAULTS, ids=repr)
async def test_after_each_fault_the_endpoints_are_those_of_the_cluster(
    kube: FakeKube, server: ApiServer, fault: Fault
) -> None:
    kube.apply(pool("chat", 8000, app="vllm"))
    kube.apply(pod("a", app="vllm"), pod("b", ip="10.0.0.2", app="vllm"), pod("x", app="other"))
    async with following(server) as (_, published):
        await published.until(["10.0.0.1:8000", "10.0.0.2:8000"])
        await kube.until(lambda: len(kube.watches) == 4)
        async with fault(kube):
            kube.delete(POD, "a")
            kube.apply(pod("c", ip="10.0.0.3", app="vllm"))
        await published.until(["10.0.0.2:8000", "10.0.0.3:8000"])
    assert all(published.sets)


async def test_a_selector_that_changes_in_the_cluster_swaps_the_set(
    kube: FakeKube, server: ApiServer
) -> None:
    kube.apply(pool("chat", 8000, version="1"), pool("other", 1, version="1"))
    kube.apply(pod("a", version="1"), pod("b", ip="10.0.0.2", version="2"))
    async with following(server) as (_, published):
        await published.until(["10.0.0.1:8000"])
        kube.apply(pool("chat", 9000, version="2"))
        await published.until(["10.0.0.2:9000"])
        kube.delete(POOL, "chat")
        await published.until([])
    assert published.sets == [["10.0.0.1:8000"], ["10.0.0.2:9000"], []]


async def test_a_pod_whose_label_goes_leaves(kube: FakeKube, server: ApiServer) -> None:
    kube.apply(pool("chat", 8000, app="vllm"))
    kube.apply(pod("a", app="vllm"), pod("b", ip="10.0.0.2", app="vllm"))
    async with following(server) as (_, published):
        await published.until(["10.0.0.1:8000", "10.0.0.2:8000"])
        kube.apply(pod("a", app="other"))
        await published.until(["10.0.0.2:8000"])
        kube.terminate(POD, "b")
        await published.until([])


async def test_the_older_api_without_objectives_is_enough(
    kube: FakeKube, server: ApiServer
) -> None:
    kube.served -= {POOL, OBJECTIVE}
    old = {"selector": {"app": "vllm"}, "targetPortNumber": 8000, "extensionRef": {"name": "epp"}}
    name = {"name": "chat"}
    kube.apply({"apiVersion": OLD_POOL.api_version, "kind": "InferencePool", "metadata": name,
                "spec": old}, pod("a", app="vllm"))  # fmt: skip
    async with following(server) as (source, published):
        await published.until(["10.0.0.1:8000"])
    assert source.facts.pool is not None
    assert source.facts.pool.authority == "epp.default.svc:9002"


async def test_an_objective_comes_from_the_cluster(kube: FakeKube, server: ApiServer) -> None:
    kube.apply(pool("chat", 8000, app="vllm"))
    ref = {"name": "chat", "group": "inference.networking.k8s.io"}
    spec = {"poolRef": ref, "priority": 7}
    meta = {"name": "urgent"}
    known = asyncio.Event()
    source = PoolSource(
        server,
        "default",
        "chat",
        told=lambda facts: known.set() if facts.objectives.priority("urgent") == 7 else None,
    )
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        task = group.create_task(source.run(Published()))
        kube.apply({"apiVersion": OBJECTIVE.api_version, "kind": "InferenceObjective",
                    "metadata": meta, "spec": spec})  # fmt: skip
        await known.wait()
        assert sorted(server.reflectors.values()) == [
            "inferencemodelrewrites", "inferenceobjectives", "inferencepools", "pods",
        ]  # fmt: skip
        task.cancel()


async def test_the_rights_that_are_shipped_are_enough() -> None:
    role = yaml.safe_load((ROOT / "deploy/kubernetes/role.yaml").read_text())
    async with FakeKube(roles=[role]) as kube:
        kube.apply(pool("chat", 8000, app="vllm"), pod("a", app="vllm"))
        client = KubeClient(await find_access(kube.kubeconfig))
        async with following(ApiServer(client, Random(1), QUICK)) as (_, published):
            await published.until(["10.0.0.1:8000"])
            await kube.until(lambda: len(kube.watches) == 4)
            kube.delete(POD, "a")
            await published.until([])
        await client.aclose()


async def test_a_server_that_is_real_is_followed(kube_api: KubeApi, tmp_path: Path) -> None:
    await kube_api.clear(POOL, POD)
    client = KubeClient(await find_access(kubeconfig(kube_api, tmp_path)))
    async with following(ApiServer(client, Random(1)), kube_api.namespace) as (_, published):
        await kube_api.apply(pool("chat", 8000, app="vllm"))
        await kube_api.apply(pod("a", app="vllm"))
        await published.until(["10.0.0.1:8000"])
        await kube_api.apply(pod("b", ip="10.0.0.2", app="vllm"))
        await published.until(["10.0.0.1:8000", "10.0.0.2:8000"])
        await kube_api.apply(pod("a", ready=False, app="vllm"))
        await published.until(["10.0.0.2:8000"])
        await kube_api.apply(pool("chat", 9000, app="vllm"))
        await published.until(["10.0.0.2:9000"])
        await kube_api.delete(POOL, "chat")
        await published.until([])
    await client.aclose()
    await kube_api.clear(POOL, POD)


def kubeconfig(api: KubeApi, folder: Path) -> Path:
    cluster = {"server": api.url} | ({"certificate-authority": str(api.ca)} if api.ca else {})
    path = folder / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "current-context": "it",
                "clusters": [{"name": "it", "cluster": cluster}],
                "users": [{"name": "it", "user": {"tokenFile": str(api.token_file)}}],
                "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            }
        )
    )
    return path
