"""kubectl is a client of the API server that knows nothing of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fakekube.kinds import LEASE, POD, POOL, Fields, kind_of
from tests.fakekube.kube import FakeKube
from tests.fakekube.kubectl import Kubectl
from tests.fakekube.objects import lease, pod, pool


@pytest.fixture
def kubectl(kube: FakeKube, tmp_path: Path) -> Kubectl:
    return Kubectl(kube.kubeconfig, tmp_path)


async def test_it_gets_what_was_applied_and_selects_by_label(
    kube: FakeKube, kubectl: Kubectl
) -> None:
    kube.apply(pod("a", app="vllm"), pod("b", app="other"), pool("qwen", 8000, app="vllm"))
    assert await kubectl.says("get", "pods", "-o", "name", "-l", "app in (vllm,x)") == "pod/a"
    assert await kubectl.says("get", "pod", "-o", "name", "-l", "app!=vllm") == "pod/b"
    ports = "jsonpath={.items[0].spec.targetPorts[0].number}"
    resource = "inferencepools.inference.networking.k8s.io"
    assert await kubectl.says("get", resource, "-o", ports) == "8000"


async def test_it_lists_in_pages(kube: FakeKube, kubectl: Kubectl) -> None:
    kube.apply(*(pod(f"p{i:03}") for i in range(25)))
    out = await kubectl.says("get", "pods", "-o", "name", "--chunk-size=10")
    assert out.split() == [f"pod/p{i:03}" for i in range(25)]
    assert [r.params.get("limit") for r in kube.requests if r.path.endswith("/pods")] == ["10"] * 3


@pytest.mark.parametrize(
    "obj", [pod("a"), pool("a", 8000), lease("x")], ids=lambda o: kind_of(o).name
)
async def test_it_applies_twice_and_deletes(kubectl: Kubectl, obj: Fields) -> None:
    obj.pop("status", None)
    what = f"{kind_of(obj).qualified}/{obj['metadata']['name']}"
    assert (await kubectl.says("apply", "-f", "-", stdin=json.dumps(obj))).endswith("created")
    obj["metadata"]["labels"] = {"app": "second"}
    assert (await kubectl.says("apply", "-f", "-", stdin=json.dumps(obj))).endswith("configured")
    label = "jsonpath={.metadata.labels.app}"
    assert await kubectl.says("get", what, "-o", label) == "second"
    assert (await kubectl.says("apply", "-f", "-", stdin=json.dumps(obj))).endswith("unchanged")
    assert "deleted" in await kubectl.says("delete", what)
    code, out = await kubectl.run("get", what)
    assert (code, "NotFound" in out) == (1, True)


async def test_a_patch_of_the_status_leaves_the_spec_alone(
    kube: FakeKube, kubectl: Kubectl
) -> None:
    kube.apply(pool("a", 8000))
    change = json.dumps({"spec": {"targetPorts": []}, "status": {"parents": []}})
    await kubectl.says(
        "patch", "inferencepool/a", "--subresource=status", "--type=merge", "-p", change
    )
    (found,) = kube.objects(POOL)
    assert found["spec"]["targetPorts"] == [{"number": 8000}]
    assert found["status"] == {"parents": []}
    assert found["metadata"]["generation"] == 1
    await kubectl.says("patch", "inferencepool/a", "--type=merge", "-p", change)
    (found,) = kube.objects(POOL)
    assert (found["spec"]["targetPorts"], found["metadata"]["generation"]) == ([], 2)


async def test_a_replacement_of_an_older_version_is_a_conflict(
    kube: FakeKube, kubectl: Kubectl
) -> None:
    kube.apply(lease("first"))
    seen = dict(kube.objects(LEASE)[0])
    kube.apply(lease("second"))
    code, out = await kubectl.run("replace", "-f", "-", stdin=json.dumps(seen))
    assert code == 1
    assert "the object has been modified; please apply your changes" in out
    code, out = await kubectl.run("create", "-f", "-", stdin=json.dumps(lease("third")))
    assert '(AlreadyExists): error when creating "STDIN": leases.coordination.k8s.io "epp"' in out


async def test_it_watches_until_the_objects_are_gone(kube: FakeKube, kubectl: Kubectl) -> None:
    kube.apply(pod("a"))
    said = "jsonpath={.type} {.object.metadata.name} "
    process = await kubectl.start(
        "get", "pods", "-o", said, "--watch", "--output-watch-events", "--request-timeout=2"
    )
    await kube.until(lambda: kube.watches)
    kube.apply(pod("b"))
    kube.delete(POD, "a")
    out, _ = await process.communicate()
    assert out.decode().split() == ["ADDED", "a", "ADDED", "b", "DELETED", "a"]


async def test_a_pod_on_a_node_ends_when_its_grace_is_over(
    kube: FakeKube, kubectl: Kubectl
) -> None:
    placed = pod("a")
    placed["spec"]["nodeName"] = "node"
    kube.apply(placed)
    process = await kubectl.start("delete", "pod", "a", "--grace-period=1")
    await kube.until(lambda: any(r.method == "DELETE" for r in kube.requests))
    assert "deletionTimestamp" in kube.objects(POD)[0]["metadata"]
    await process.communicate()
    assert (process.returncode, kube.names(POD)) == (0, [])
