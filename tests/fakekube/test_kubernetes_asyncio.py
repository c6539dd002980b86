"""kubernetes_asyncio, the generated client, as a client of the API server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from kubernetes_asyncio.client import (
    ApiClient,
    ApiException,
    AuthenticationV1Api,
    AuthorizationV1Api,
    CoordinationV1Api,
    CoreV1Api,
    CustomObjectsApi,
    V1Container,
    V1Lease,
    V1LeaseSpec,
    V1NonResourceAttributes,
    V1ObjectMeta,
    V1Pod,
    V1PodSpec,
    V1PodStatus,
    V1ResourceAttributes,
    V1SubjectAccessReview,
    V1SubjectAccessReviewSpec,
    V1TokenReview,
    V1TokenReviewSpec,
)
from kubernetes_asyncio.config import new_client_from_config
from kubernetes_asyncio.watch import Watch

from tests.fakekube.kinds import POD, POOL, kind_of
from tests.fakekube.kube import FakeKube
from tests.fakekube.objects import pod, pool

GROUP = ("inference.networking.k8s.io", "v1", "default", "inferencepools")


@pytest.fixture
async def client(kube: FakeKube) -> AsyncIterator[ApiClient]:
    async with await new_client_from_config(str(kube.kubeconfig)) as client:
        yield client


async def test_a_list_is_watched_from_its_revision(kube: FakeKube, client: ApiClient) -> None:
    kube.apply(pod("a", app="x"), pod("b", app="y"))
    api = CoreV1Api(client)
    listed = await api.list_namespaced_pod("default", label_selector="app=x")
    assert [item.metadata.name for item in listed.items] == ["a"]
    kube.apply(pod("c", app="x"))
    async with Watch() as watch:
        stream = watch.stream(
            api.list_namespaced_pod,
            "default",
            label_selector="app=x",
            resource_version=listed.metadata.resource_version,
        )
        async for event in stream:
            assert (event["type"], event["object"].metadata.name) == ("ADDED", "c")
            break


async def test_custom_objects_come_in_pages_too(kube: FakeKube, client: ApiClient) -> None:
    kube.apply(pool("a", 8000), pool("b", 8000), pool("c", 8000))
    api = CustomObjectsApi(client)
    first = await api.list_namespaced_custom_object(*GROUP, limit=2)
    assert [item["metadata"]["name"] for item in first["items"]] == ["a", "b"]
    assert first["items"][0]["kind"] == "InferencePool"
    assert first["metadata"]["remainingItemCount"] == 1
    rest = await api.list_namespaced_custom_object(*GROUP, _continue=first["metadata"]["continue"])
    assert [item["metadata"]["name"] for item in rest["items"]] == ["c"]


async def test_bookmarks_come_to_those_who_want_them(kube: FakeKube, client: ApiClient) -> None:
    kube.apply(pool("p", 8000))
    api = CustomObjectsApi(client)
    async with Watch() as wanting, Watch() as other:
        arguments = (api.list_namespaced_custom_object, *GROUP)
        events = wanting.stream(*arguments, allow_watch_bookmarks=True)
        others = other.stream(*arguments)
        assert (await anext(events))["type"] == (await anext(others))["type"] == "ADDED"
        kube.apply(pod("elsewhere"))
        kube.bookmark()
        kube.delete(POOL, "p")
        mark = await anext(events)
        assert mark["type"] == "BOOKMARK"
        revision = kube.objects(POD)[0]["metadata"]["resourceVersion"]
        assert mark["raw_object"]["metadata"]["resourceVersion"] == revision
        assert (await anext(events))["type"] == (await anext(others))["type"] == "DELETED"


async def test_an_expired_revision_is_an_error_event(kube: FakeKube, client: ApiClient) -> None:
    kube.apply(pod("a"))
    revision = kube.objects(POD)[0]["metadata"]["resourceVersion"]
    kube.compact()
    api = CoreV1Api(client)
    async with Watch() as watch:
        events = watch.stream(api.list_namespaced_pod, "default", resource_version=revision)
        with pytest.raises(ApiException) as refused:
            await anext(events)
    assert (refused.value.status, kube.requests[-1].params["watch"]) == (410, "True")


async def test_a_watch_ends_when_its_time_is_over(kube: FakeKube, client: ApiClient) -> None:
    kube.apply(pod("a"))
    async with Watch() as watch:
        stream = watch.stream(CoreV1Api(client).list_namespaced_pod, "default", timeout_seconds=1)
        assert [event["object"].metadata.name async for event in stream] == ["a"]


async def test_fields_select(kube: FakeKube, client: ApiClient) -> None:
    kube.apply(pod("a"), pod("b") | {"status": {"phase": "Pending"}})
    api = CoreV1Api(client)
    listed = await api.list_namespaced_pod("default", field_selector="status.phase!=Running")
    assert [item.metadata.name for item in listed.items] == ["b"]
    with pytest.raises(ApiException, match=r"field label not supported: spec\.color"):
        await api.list_namespaced_pod("default", field_selector="spec.color=red")


async def test_pods_and_their_status_are_created_patched_and_replaced(
    kube: FakeKube, client: ApiClient
) -> None:
    api = CoreV1Api(client)
    container = V1Container(name="server", image="none")
    spec = V1PodSpec(containers=[container])
    made = V1Pod(
        api_version="v1",
        kind="Pod",
        metadata=V1ObjectMeta(name="a"),
        spec=spec,
        status=V1PodStatus(phase="Running"),
    )
    created = await api.create_namespaced_pod("default", made)
    assert created.status.phase == "Pending"
    ready = {"status": {"podIP": "10.0.0.1"}}
    await api.patch_namespaced_pod_status("a", "default", ready)
    assert kube.objects(POD)[0]["status"]["podIP"] == "10.0.0.1"
    with pytest.raises(ApiException) as refused:
        await api.replace_namespaced_pod("a", "default", created)
    assert (refused.value.status, refused.value.reason) == (409, "Conflict")


async def test_a_lease_is_renewed_by_its_version(kube: FakeKube, client: ApiClient) -> None:
    api = CoordinationV1Api(client)
    lease = V1Lease(
        api_version="coordination.k8s.io/v1",
        kind="Lease",
        metadata=V1ObjectMeta(name="epp"),
        spec=V1LeaseSpec(holder_identity="me"),
    )
    mine = await api.create_namespaced_lease("default", lease)
    renewed = await api.replace_namespaced_lease("epp", "default", mine)
    assert renewed.metadata.resource_version == mine.metadata.resource_version  # nothing changed
    mine.spec.lease_transitions = 1
    renewed = await api.replace_namespaced_lease("epp", "default", mine)
    assert renewed.metadata.resource_version != mine.metadata.resource_version
    with pytest.raises(ApiException) as refused:
        await api.replace_namespaced_lease("epp", "default", mine)
    assert refused.value.status == 409


async def test_the_kinds_that_are_not_served_are_not_found(
    kube: FakeKube, client: ApiClient
) -> None:
    api = CustomObjectsApi(client)
    assert (await api.list_namespaced_custom_object(*GROUP))["items"] == []
    kube.served.discard(POOL)
    with pytest.raises(ApiException) as refused:
        await api.list_namespaced_custom_object(*GROUP)
    assert refused.value.status == 404
    assert str(refused.value.body) == "404 page not found\n"
    kube.served.add(kind_of(pool("p", 8000)))
    assert (await api.list_namespaced_custom_object(*GROUP))["kind"] == "InferencePoolList"


SCRAPER = [
    {
        "kind": "ClusterRole",
        "metadata": {"name": "scraper"},
        "rules": [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}],
    },
    {
        "kind": "Role",
        "metadata": {"name": "scraper", "namespace": "monitoring"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}],
    },
]


async def test_reviews_tell_who_and_what(kube: FakeKube, client: ApiClient) -> None:
    kube.add_user("t0p", "monitoring:scraper", SCRAPER)
    review = V1TokenReview(spec=V1TokenReviewSpec(token="t0p"))
    answer = await AuthenticationV1Api(client).create_token_review(review)
    assert answer.status.authenticated is True
    name = answer.status.user.username
    assert name == "system:serviceaccount:monitoring:scraper"
    unknown = V1TokenReview(spec=V1TokenReviewSpec(token="?"))
    answer = await AuthenticationV1Api(client).create_token_review(unknown)
    assert not answer.status.authenticated

    async def may(
        resource: V1ResourceAttributes | None = None, url: V1NonResourceAttributes | None = None
    ) -> bool:
        spec = V1SubjectAccessReviewSpec(
            user=name, resource_attributes=resource, non_resource_attributes=url
        )
        review = V1SubjectAccessReview(spec=spec)
        answer = await AuthorizationV1Api(client).create_subject_access_review(review)
        allowed: bool = answer.status.allowed
        return allowed

    assert await may(url=V1NonResourceAttributes(path="/metrics", verb="get"))
    assert not await may(url=V1NonResourceAttributes(path="/debug", verb="get"))
    here, there = (
        V1ResourceAttributes(resource="pods", verb="list", namespace=namespace)
        for namespace in ("monitoring", "default")
    )
    assert await may(here)
    assert not await may(there)
