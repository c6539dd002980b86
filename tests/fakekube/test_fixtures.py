"""The fixture that is a real server or a fake one."""

from __future__ import annotations

from tests.fakekube.fixtures import KubeApi
from tests.fakekube.kinds import LEASE, POD
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
