from __future__ import annotations

import pytest

from epp.manifests.lint.objects import objects_in
from epp.manifests.lint.workload import Container, workloads

CONTAINER = """
apiVersion: v1
kind: Pod
spec:
  containers:
    - image: {image}
      args: [{args}]
      env: [{{name: EPP_DRAIN_TIMEOUT, value: "7"}}]
"""


def container(args: str = "", image: str = "x") -> Container:
    content = CONTAINER.format(args=args, image=image).encode()
    (pod,) = (w for m in objects_in("f", content).objects for w in workloads(m))
    return pod.containers[0]


@pytest.mark.parametrize(
    ("image", "args", "ours"),
    [
        ("epp", "", True),
        ("registry.example.com:5000/team/epp:1.0", "", True),
        ("epp@sha256:00", "", True),
        ("llm-d/llm-d-router", "", False),
        ("my-build", "serve", True),
        ("my-build", "--serve-all", False),
    ],
)
def test_the_picker_is_known_by_its_image_or_its_command(image: str, args: str, ours: bool) -> None:
    assert container(args, image).is_epp is ours


@pytest.mark.parametrize(
    ("args", "value"),
    [
        ("--drain-timeout=300", "300"),
        ("--drain-timeout, 300", "300"),
        ("--drain-timeout=1, --drain-timeout=2", "2"),
        ("--drain-timeout", ""),
        ("--drain-timeout-x=1", "7"),
    ],
)
def test_a_flag_is_read_from_arguments_before_the_environment(args: str, value: str) -> None:
    assert container(args).value("drain-timeout") == value


@pytest.mark.parametrize(
    ("args", "on"),
    [("--insecure", True), ("--insecure=false", False), ("--insecure=true", True), ("", False)],
)
def test_a_switch_is_on_when_it_is_there_and_not_switched_off(args: str, on: bool) -> None:
    assert container(args).switched_on("insecure") is on


def test_a_switch_can_be_a_variable() -> None:
    content = CONTAINER.format(args="", image="x").replace("DRAIN_TIMEOUT", "INSECURE")
    (pod,) = objects_in("f", content.replace('"7"', '"1"').encode()).objects
    assert workloads(pod)[0].containers[0].switched_on("insecure")


@pytest.mark.parametrize(
    ("kind", "path", "number"),
    [
        ("Deployment", "template", 1),
        ("StatefulSet", "template", 1),
        ("LeaderWorkerSet", "leaderWorkerTemplate: {workerTemplate", 1),
        ("ConfigMap", "template", 0),
    ],
)
def test_pods_come_from_templates(kind: str, path: str, number: int) -> None:
    template = f"{path}: {{metadata: {{labels: {{app: a}}}}}}" + "}" * path.count("{")
    content = f"apiVersion: v1\nkind: {kind}\nspec: {{{template}}}\n"
    (one,) = objects_in("f", content.encode()).objects
    assert [w.selected_by({"app": "a"}) for w in workloads(one)] == [True] * number


def test_an_empty_selector_selects_nothing() -> None:
    (one,) = objects_in("f", b"apiVersion: v1\nkind: Pod\nmetadata: {labels: {a: b}}\n").objects
    (pod,) = workloads(one)
    assert not pod.selected_by({})
    assert pod.selected_by({"a": "b"})
    assert not pod.selected_by({"a": "c"})
