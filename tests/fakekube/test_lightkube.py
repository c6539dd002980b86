"""lightkube, in its asynchronous form, as a client of the API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from lightkube import ALL_NS, ApiError, AsyncClient, KubeConfig
from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.coordination_v1 import LeaseSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.operators import not_exists
from lightkube.resources.coordination_v1 import Lease
from lightkube.resources.core_v1 import Pod
from lightkube.types import PatchType

from tests.fakekube.faults import gone_status
from tests.fakekube.kinds import LEASE, POD, POOL, Fields
from tests.fakekube.kube import FakeKube
from tests.fakekube.objects import lease, pod, pool

InferencePool = create_namespaced_resource(
    "inference.networking.k8s.io", "v1", "InferencePool", "inferencepools"
)


@pytest.fixture
async def client(kube: FakeKube) -> AsyncIterator[AsyncClient]:
    client = AsyncClient(KubeConfig.from_file(kube.kubeconfig).get())
    yield client
    await client.close()


def meta(obj: Pod | Lease) -> ObjectMeta:
    assert obj.metadata is not None
    return obj.metadata


async def test_it_lists_in_pages_by_labels_and_fields(kube: FakeKube, client: AsyncClient) -> None:
    kube.apply(*(pod(f"p{i:02}", app="x") for i in range(7)), pod("other", app="y"))
    found = [meta(p).name async for p in client.list(Pod, labels={"app": "x"}, chunk_size=3)]
    assert found == [f"p{i:02}" for i in range(7)]
    assert [r.params.get("limit") for r in kube.requests] == ["3"] * 3
    by_set: Fields = {"app": ("y", "z"), "absent": not_exists()}
    found = [meta(p).name async for p in client.list(Pod, labels=by_set)]
    assert found == ["other"]
    found = [meta(p).name async for p in client.list(Pod, fields={"metadata.name": "p03"})]
    assert found == ["p03"]


async def test_a_page_is_of_the_moment_of_the_first_one(
    kube: FakeKube, client: AsyncClient
) -> None:
    kube.apply(pod("a"), pod("b"), pod("c"))
    found = []
    async for listed in client.list(Pod, chunk_size=1):
        found.append(meta(listed).name)
        kube.apply(pod(f"b{len(found)}"))
        if "c" in kube.names(POD):
            kube.delete(POD, "c")
    assert found == ["a", "b", "c"]


async def test_the_rest_of_a_list_is_gone_with_the_history(
    kube: FakeKube, client: AsyncClient
) -> None:
    kube.apply(pod("a"), pod("b"))
    pages = aiter(client.list(Pod, chunk_size=1))
    await anext(pages)
    kube.compact()
    with pytest.raises(ApiError) as refused:
        await anext(pages)
    assert (refused.value.status.code, refused.value.status.reason) == (410, "Expired")


async def test_it_watches_what_its_selector_means(kube: FakeKube, client: AsyncClient) -> None:
    kube.apply(pod("a", app="x"), pod("b", app="y"))
    events = []
    async for event, obj in client.watch(Pod, labels={"app": "x"}):
        events.append((event, meta(obj).name, meta(obj).labels))
        if len(events) == 1:
            kube.apply(pod("a", app="x", more="yes"))
            kube.apply(pod("b", app="x"))
            kube.apply(pod("a", app="y"))  # selected no longer
            kube.delete(POD, "b")
        if len(events) == 5:
            break
    assert events == [
        ("ADDED", "a", {"app": "x"}),
        ("MODIFIED", "a", {"app": "x", "more": "yes"}),
        ("ADDED", "b", {"app": "x"}),
        ("DELETED", "a", {"app": "x", "more": "yes"}),
        ("DELETED", "b", {"app": "x"}),
    ]


async def test_a_watch_goes_on_where_the_last_one_was_timed_out(
    kube: FakeKube, client: AsyncClient
) -> None:
    async def apply_when_asked_again() -> None:
        await kube.until(lambda: len(kube.requests) == 2)
        kube.apply(pod("b"))

    kube.apply(pod("a"))
    names = []
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(apply_when_asked_again())
        async for _, obj in client.watch(Pod, server_timeout=1):
            names.append(meta(obj).name)
            if "b" in names:
                break
    assert names == ["a", "b"]
    assert [bool(r.params.get("resourceVersion")) for r in kube.requests] == [False, True]


async def test_a_watch_from_an_old_revision_is_refused(kube: FakeKube, client: AsyncClient) -> None:
    kube.apply(pod("a"))
    revision = kube.objects(POD)[0]["metadata"]["resourceVersion"]
    async with gone_status(kube):
        with pytest.raises(Exception, match="410 Gone"):
            await anext(aiter(client.watch(Pod, resource_version=revision)))


async def test_a_lease_is_taken_by_one_of_two(kube: FakeKube, client: AsyncClient) -> None:
    mine = Lease(metadata=ObjectMeta(name="epp"), spec=LeaseSpec(holderIdentity="me"))
    created = await client.create(mine)
    with pytest.raises(ApiError) as refused:
        await client.create(mine)
    assert (refused.value.status.code, refused.value.status.reason) == (409, "AlreadyExists")
    kube.apply(lease("somebody else"))
    with pytest.raises(ApiError) as refused:
        await client.replace(created)
    assert (refused.value.status.code, refused.value.status.reason) == (409, "Conflict")
    fresh = await client.get(Lease, "epp")
    assert fresh.spec == LeaseSpec(holderIdentity="somebody else")
    fresh.spec = mine.spec
    renewed = await client.replace(fresh)
    assert meta(renewed).resourceVersion != meta(fresh).resourceVersion
    assert kube.objects(LEASE)[0]["spec"]["holderIdentity"] == "me"
    with pytest.raises(ApiError) as refused:
        await client.replace(mine)
    assert refused.value.status.code == 422


async def test_the_status_of_a_custom_object_is_written_apart(
    kube: FakeKube, client: AsyncClient
) -> None:
    await client.create(InferencePool(**pool("p", 8000), status={"parents": ["ignored"]}))
    found = await client.get(InferencePool, "p")
    assert "status" not in found
    found["status"] = {"parents": []}
    found["spec"]["targetPorts"] = []
    await client.replace(InferencePool.Status(**found), "p")
    (stored,) = kube.objects(POOL)
    assert (stored["status"], len(stored["spec"]["targetPorts"])) == ({"parents": []}, 1)


async def test_a_merge_patch_changes_and_removes_fields(
    kube: FakeKube, client: AsyncClient
) -> None:
    kube.apply(pod("a", app="x", old="yes"))
    change: Fields = {"metadata": {"labels": {"old": None, "new": "yes"}}}
    await client.patch(Pod, "a", change, patch_type=PatchType.MERGE)
    assert kube.objects(POD)[0]["metadata"]["labels"] == {"app": "x", "new": "yes"}
    change = {"metadata": {"resourceVersion": "7"}}
    with pytest.raises(ApiError) as refused:
        await client.patch(Pod, "a", change, patch_type=PatchType.MERGE)
    assert refused.value.status.code == 409
    with pytest.raises(ApiError) as refused:
        await client.patch(InferencePool, "a", {}, patch_type=PatchType.STRATEGIC)
    assert refused.value.status.code == 415


async def test_all_namespaces_are_one_list(kube: FakeKube, client: AsyncClient) -> None:
    kube.apply(pod("a"))
    kube.apply({**pod("a"), "metadata": {"name": "a", "namespace": "other"}})
    found = [meta(p).namespace async for p in client.list(Pod, namespace=ALL_NS)]
    assert found == ["default", "other"]
    await client.delete(Pod, "a", namespace="other")
    with pytest.raises(ApiError, match='pods "a" not found'):
        await client.get(Pod, "a", namespace="other")
    assert kube.names(POD) == ["a"]
