"""Requests under roles: what they do not grant is refused as Kubernetes refuses it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.fakekube.kinds import KINDS, LEASE, OBJECTIVE, POD, POOL, TOKEN_REVIEW, Fields, Kind
from tests.fakekube.kube import FakeKube
from tests.fakekube.objects import lease, pod


def rule(group: str, resource: str, *verbs: str, names: Sequence[str] = ()) -> Fields:
    made: Fields = {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}
    return {**made, "resourceNames": list(names)} if names else made


def role(*rules: Fields, kind: str = "Role", **meta: str) -> Fields:
    return {"kind": kind, "metadata": {"name": "epp", **meta}, "rules": list(rules)}


def binding(kind: str, role_kind: str, account: str, **meta: str) -> Fields:
    subject = {"kind": "ServiceAccount", "name": account, "namespace": "default"}
    reference = {"kind": role_kind, "name": "epp", "apiGroup": "rbac.authorization.k8s.io"}
    meta = {"name": "epp", **meta}
    return {"kind": kind, "metadata": meta, "roleRef": reference, "subjects": [subject]}


class Caller:
    """Asks under the roles and returns the status of the answer."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def lists(self, kind: Kind, namespace: str = "default", **params: str) -> int:
        return (await self.http.get(kind.path(namespace), params=params)).status_code


@asynccontextmanager
async def under(*roles: Fields) -> AsyncIterator[Caller]:
    async with (
        FakeKube(roles=roles) as kube,
        httpx.AsyncClient(
            base_url=kube.url,
            verify=kube.trust(),
            headers={"Authorization": f"Bearer {kube.token}"},
        ) as http,
    ):
        kube.apply(pod("a"), lease("me", "mine"), lease("me", "other"))
        yield Caller(http)


async def test_a_refusal_is_a_status_that_says_what_is_missing() -> None:
    async with under(role(rule("", "pods", "get"))) as caller:
        refused = await caller.http.get(POD.path("default"))
        assert refused.status_code == 403
        assert refused.json() == {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": 'pods is forbidden: User "system:serviceaccount:default:epp" cannot list '
            'resource "pods" in API group "" in the namespace "default"',
            "reason": "Forbidden",
            "details": {"name": "", "group": "", "kind": "pods"},
            "code": 403,
        }


async def test_each_verb_is_granted_by_itself() -> None:
    async with under(role(rule("", "pods", "list"))) as caller:
        assert await caller.lists(POD) == 200
        assert await caller.lists(POD, watch="true") == 403
        assert await caller.lists(LEASE) == 403
        path = POD.path("default", "a")
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            assert (await caller.http.request(method, path, json={})).status_code == 403
        assert (await caller.http.post(POD.path("default"), json={})).status_code == 403


async def test_a_role_ends_with_its_namespace() -> None:
    async with under(role(rule("", "pods", "list"), namespace="other")) as caller:
        assert await caller.lists(POD, "other") == 200
        assert await caller.lists(POD) == 403
        assert await caller.lists(POD, "") == 403
    async with under(role(rule("", "pods", "list"), kind="ClusterRole")) as caller:
        assert await caller.lists(POD) == 200
        assert await caller.lists(POD, "") == 200


async def test_a_name_that_is_granted_covers_a_collection_of_just_it() -> None:
    async with under(role(rule(LEASE.group, "leases", "*", names=["mine"]))) as caller:
        assert await caller.lists(LEASE) == 403
        assert await caller.lists(LEASE, fieldSelector="metadata.name=other") == 403
        assert await caller.lists(LEASE, fieldSelector="metadata.name=mine") == 200
        assert (await caller.http.get(LEASE.path("default", "mine"))).status_code == 200
        assert (await caller.http.get(LEASE.path("default", "other"))).status_code == 403
        made = await caller.http.post(LEASE.path("default"), json=lease("me", "new"))
        assert made.status_code == 403


async def test_the_status_is_a_resource_of_its_own() -> None:
    path = POOL.path("default", "p")
    async with under(role(rule(POOL.group, "inferencepools", "patch"))) as caller:
        media = {"Content-Type": "application/merge-patch+json"}
        of_all = await caller.http.patch(path, json={}, headers=media)
        of_status = await caller.http.patch(f"{path}/status", json={}, headers=media)
        assert (of_all.status_code, of_status.status_code) == (404, 403)


async def test_a_review_in_a_namespaced_role_grants_nothing() -> None:
    reviews = rule(TOKEN_REVIEW.group, "tokenreviews", "create")
    review = {"apiVersion": TOKEN_REVIEW.api_version, "kind": "TokenReview", "spec": {"token": "x"}}
    for kind, status in {"Role": 403, "ClusterRole": 201}.items():
        async with under(role(reviews, kind=kind)) as caller:
            answer = await caller.http.post(TOKEN_REVIEW.path(), json=review)
            assert answer.status_code == status


@pytest.mark.parametrize(
    ("bound", "here", "everywhere"),
    [
        (binding("RoleBinding", "ClusterRole", "epp", namespace="default"), 200, 403),
        (binding("RoleBinding", "ClusterRole", "epp", namespace="other"), 403, 403),
        (binding("ClusterRoleBinding", "ClusterRole", "epp"), 200, 200),
        (binding("ClusterRoleBinding", "ClusterRole", "somebody-else"), 403, 403),
        (binding("RoleBinding", "Role", "epp", namespace="default"), 403, 403),
    ],
)
async def test_a_binding_says_where_and_to_whom(bound: Fields, here: int, everywhere: int) -> None:
    async with under(role(rule("", "pods", "list"), kind="ClusterRole"), bound) as caller:
        assert (await caller.lists(POD), await caller.lists(POD, "")) == (here, everywhere)


async def test_discovery_is_open_to_all_who_are_known() -> None:
    async with under() as caller:
        groups = (await caller.http.get("/apis")).json()["groups"]
        assert OBJECTIVE.group in {group["name"] for group in groups}
        assert (await caller.http.get("/metrics")).status_code == 403
        caller.http.headers["Authorization"] = "Bearer nobody's"
        assert (await caller.http.get("/apis")).status_code == 401


async def test_without_roles_everything_is_allowed(kube: FakeKube) -> None:
    headers = {"Authorization": f"Bearer {kube.token}"}
    async with httpx.AsyncClient(verify=kube.trust(), headers=headers) as http:
        for kind in KINDS:
            if not kind.only_create:
                answer: Any = (await http.get(kube.url + kind.path())).json()
                assert (answer["kind"], answer["items"]) == (f"{kind.name}List", [])


async def test_a_client_certificate_is_enough(kube: FakeKube) -> None:
    context = kube.trust()
    context.load_cert_chain(*kube.authority.issue("admin"))
    async with httpx.AsyncClient(verify=context) as http:
        assert (await http.get(f"{kube.url}/version")).status_code == 200
    async with httpx.AsyncClient(verify=kube.trust()) as http:
        assert (await http.get(f"{kube.url}/version")).status_code == 401
