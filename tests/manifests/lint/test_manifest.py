from __future__ import annotations

import pytest

from epp.manifests.lint.manifest import same_namespace
from epp.manifests.lint.objects import objects_in


def test_an_object_says_what_it_is() -> None:
    text = b"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: b}\n"
    (one,) = objects_in("f", text).objects
    assert (one.group, one.version, one.kind, one.name, one.namespace) == (
        "apps",
        "v1",
        "Deployment",
        "a",
        "b",
    )


def test_the_core_group_is_empty() -> None:
    (one,) = objects_in("f", b"apiVersion: v1\nkind: Service\n").objects
    assert (one.group, one.version, one.name, one.namespace) == ("", "v1", "", "")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("a", "a", True), ("a", "b", False), ("", "b", True), ("a", "", True), ("", "", True)],
)
def test_a_namespace_that_is_not_written_can_be_any(one: str, other: str, same: bool) -> None:
    assert same_namespace(one, other) is same
