"""Whether routes reach the pools that they name."""

from __future__ import annotations

from collections.abc import Iterator

from epp.document.node import Node
from epp.document.problem import did_you_mean
from epp.manifests.lint.look import find, items, text
from epp.manifests.lint.manifest import Manifest, Spot, same_namespace
from epp.manifests.lint.manifests import Manifests
from epp.manifests.lint.route import Backend
from epp.manifests.names import POOL_GROUP


def unknown_pool(manifests: Manifests) -> Iterator[Spot]:
    """A route names a pool that is not among the given ones, while others are."""
    names = [pool.manifest.name for pool in manifests.pools]
    for backend in manifests.backends():
        if names and backend.is_pool and manifests.pool_of(backend) is None:
            hint = did_you_mean(backend.name, names) if backend.name not in names else ""
            where = f" in the namespace {backend.namespace}" if backend.namespace else ""
            yield backend.spot(f'no given pool is called "{backend.name}"{where}{hint}', "name")


def missing_reference_grant(manifests: Manifests) -> Iterator[Spot]:
    """A route uses a pool of another namespace, and no given ReferenceGrant allows it."""
    grants = manifests.of("ReferenceGrant")
    for backend in manifests.backends():
        own, other = backend.route.manifest.namespace, text(backend.node, "namespace")
        if not backend.is_pool or same_namespace(own, other):
            continue
        if not any(_allows(grant, backend) for grant in grants):
            kind = backend.route.manifest.kind
            wrong = (
                f'no ReferenceGrant in {other} allows a {kind} of {own} the pool "{backend.name}"'
            )
            yield backend.spot(wrong, "namespace")


def _allows(grant: Manifest, backend: Backend) -> bool:
    route = backend.route.manifest
    return (
        same_namespace(grant.namespace, backend.namespace)
        and any(_from(node, route) for node in items(grant.root, "spec", "from"))
        and any(_to(node, backend) for node in items(grant.root, "spec", "to"))
    )


def _from(node: Node, route: Manifest) -> bool:
    wanted = (route.group, route.kind, route.namespace)
    return (text(node, "group"), text(node, "kind"), text(node, "namespace")) == wanted


def _to(node: Node, backend: Backend) -> bool:
    if (text(node, "group"), text(node, "kind")) != (POOL_GROUP, "InferencePool"):
        return False
    return find(node, "name") is None or text(node, "name") == backend.name
