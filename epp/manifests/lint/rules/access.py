"""What a picker may read."""

from __future__ import annotations

from collections.abc import Iterator

from epp.document.node import Node
from epp.manifests.lint.look import items, text
from epp.manifests.lint.manifest import Manifest, Spot, same_namespace
from epp.manifests.lint.manifests import Manifests
from epp.manifests.lint.workload import Workload
from epp.manifests.names import POOL_GROUP

_NEEDED = ((POOL_GROUP, "inferencepools"), ("", "pods"))
_VERBS = ("list", "watch")


def picker_role(manifests: Manifests) -> Iterator[Spot]:
    """The Role of a picker lacks what it needs: `list` and `watch` on pods and on pools."""
    for _, picker in manifests.pickers():
        roles = _roles(manifests, picker)
        for group, resource in _NEEDED if roles else ():
            granted = {verb for role in roles for verb in _verbs(role, group, resource)}
            missing = [verb for verb in _VERBS if not granted & {verb, "*"}]
            if missing:
                wrong = f'"{roles[0].name}" lacks {" and ".join(missing)} on {resource}'
                yield roles[0].spot(roles[0].root.at("rules"), wrong)


def picker_unbound(manifests: Manifests) -> Iterator[Spot]:
    """No given RoleBinding is for the ServiceAccount of a picker, while others are given."""
    for _, picker in manifests.pickers():
        given = manifests.of("RoleBinding", "ClusterRoleBinding")
        if given and not _bindings(manifests, picker):
            node = picker.template.at("spec", "serviceAccountName")
            wrong = f'no given RoleBinding is for the ServiceAccount "{_account(picker)}"'
            yield picker.manifest.spot(node, wrong)


def _account(picker: Workload) -> str:
    return text(picker.template, "spec", "serviceAccountName") or "default"


def _bindings(manifests: Manifests, picker: Workload) -> list[Manifest]:
    return [
        binding
        for binding in manifests.of("RoleBinding", "ClusterRoleBinding")
        if any(_is(subject, binding, picker) for subject in items(binding.root, "subjects"))
    ]


def _is(subject: Node, binding: Manifest, picker: Workload) -> bool:
    namespace = text(subject, "namespace") or binding.namespace
    return (text(subject, "kind"), text(subject, "name")) == (
        "ServiceAccount",
        _account(picker),
    ) and same_namespace(namespace, picker.manifest.namespace)


def _roles(manifests: Manifests, picker: Workload) -> list[Manifest]:
    """The given roles of the picker; none if there is one that is not given."""
    roles = []
    for binding in _bindings(manifests, picker):
        kind, name = text(binding.root, "roleRef", "kind"), text(binding.root, "roleRef", "name")
        named = [
            role
            for role in manifests.of(kind)
            if role.name == name
            and (kind == "ClusterRole" or same_namespace(role.namespace, binding.namespace))
        ]
        if not named:
            return []
        roles += named
    return roles


def _verbs(role: Manifest, group: str, resource: str) -> Iterator[str]:
    for rule in items(role.root, "rules"):
        groups = {str(node.value) for node in items(rule, "apiGroups")}
        resources = {str(node.value) for node in items(rule, "resources")}
        if groups & {group, "*"} and resources & {resource, "*"}:
            yield from (str(node.value) for node in items(rule, "verbs"))
