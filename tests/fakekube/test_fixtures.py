"""The fixture that is a real server or a fake one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakekube.fixtures import KubeApi, api_server
from tests.fakekube.kinds import LEASE, POD
from tests.fakekube.kube import FakeKube
from tests.fakekube.objects import lease, pod


async def test_objects_are_written_through_the_api(kube_api: KubeApi) -> None:
    await kube_api.clear(POD, LEASE)
    await kube_api.apply(pod("a", app="x"))
    await kube_api.apply(pod("a", app="y", ready=False))
    await kube_api.apply(pod("b"))
    await kube_api.apply(lease("me"))
    assert await kube_api.names(POD) == ["a", "b"]
    found = (await kube_api.http.get(POD.path(kube_api.namespace, "a"))).json()
    assert (found["metadata"]["labels"], found["status"]["podIP"]) == ({"app": "y"}, "10.0.0.1")
    assert found["status"]["conditions"][-1]["status"] == "False"
    await kube_api.delete(POD, "a")
    await kube_api.delete(POD, "a")
    assert await kube_api.names(POD) == ["b"]
    await kube_api.clear(POD, LEASE)
    assert await kube_api.names(LEASE) == []


async def test_the_environment_names_a_server(
    kube: FakeKube, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBE_TEST_URL", kube.url)
    monkeypatch.setenv("KUBE_TEST_TOKEN", kube.token)
    monkeypatch.setenv("KUBE_TEST_CA", str(kube.ca))
    monkeypatch.setenv("KUBE_TEST_NAMESPACE", "trial")
    async with api_server(tmp_path) as api:
        await api.apply(pod("a"))
    assert [obj["metadata"]["namespace"] for obj in kube.objects(POD)] == ["trial"]
    (created, *_) = kube.requests
    assert (created.method, created.path) == ("POST", POD.path("trial"))
