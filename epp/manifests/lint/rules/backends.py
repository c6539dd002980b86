"""What a rule's `backendRefs` may say."""

from __future__ import annotations

from collections.abc import Iterator

from epp.manifests.lint.look import find, text, whole
from epp.manifests.lint.manifest import Spot
from epp.manifests.lint.manifests import Manifests
from epp.manifests.names import AI_GATEWAY_GROUP, POOL_GROUP

_IGNORED = ("modelNameOverride", "headerMutation", "bodyMutation", "priority")


def one_pool_per_rule(manifests: Manifests) -> Iterator[Spot]:
    """A rule has more than one InferencePool: the gateway refuses it."""
    for route in manifests.routes:
        for rule in route.rules:
            if len(rule.pools) > 1:
                yield rule.pools[1].spot(f"this is the second of {len(rule.pools)} pools in a rule")


def mixed_backends(manifests: Manifests) -> Iterator[Spot]:
    """An AIGatewayRoute's rule has both an InferencePool and an AIServiceBackend."""
    for route in manifests.routes:
        for rule in route.rules if route.is_ai else ():
            others = [backend for backend in rule.backends if not backend.is_pool]
            if rule.pools and others:
                yield others[0].spot(
                    f'the backend "{others[0].name}" shares a rule with the pool '
                    f'"{rule.pools[0].name}"'
                )


def group_with_kind(manifests: Manifests) -> Iterator[Spot]:
    """A backend of an AIGatewayRoute has `group` without `kind`, or `kind` without `group`."""
    for backend in manifests.backends():
        written = [name for name in ("group", "kind") if find(backend.node, name) is not None]
        if backend.route.is_ai and len(written) == 1:
            missing = "kind" if written == ["group"] else "group"
            yield backend.spot(f"{written[0]} without {missing}", written[0])


def backend_kind(manifests: Manifests) -> Iterator[Spot]:
    """A backend's `group` and `kind` are none that the gateway knows."""
    for backend in manifests.backends():
        group, kind = text(backend.node, "group"), text(backend.node, "kind")
        if group == AI_GATEWAY_GROUP and backend.route.is_ai:
            yield backend.spot(
                f"an AIServiceBackend is written without group and kind, not {group}", "group"
            )
        elif (
            group
            and kind
            and backend.route.is_ai
            and (group, kind) != (POOL_GROUP, "InferencePool")
        ):
            yield backend.spot(f"{group}/{kind} is no backend of an AIGatewayRoute", "group")
        elif not backend.route.is_ai and backend.is_pool and group != POOL_GROUP:
            yield backend.spot(
                f"an InferencePool is in the group {POOL_GROUP}, not {group or 'core'}", "group"
            )


def pool_port(manifests: Manifests) -> Iterator[Spot]:
    """`port` beside a pool is ignored: requests go to the pool's `targetPorts`."""
    for backend in manifests.backends():
        if backend.is_pool and find(backend.node, "port") is not None:
            yield backend.spot(f'the port beside the pool "{backend.name}" is ignored', "port")


def pool_fields_ignored(manifests: Manifests) -> Iterator[Spot]:
    """`modelNameOverride`, `headerMutation`, `bodyMutation` and `priority` do nothing on a pool."""
    for backend in manifests.backends():
        for name in _IGNORED if backend.is_pool else ():
            if find(backend.node, name) is not None:
                yield backend.spot(f'{name} has no effect on the pool "{backend.name}"', name)


def pool_weight(manifests: Manifests) -> Iterator[Spot]:
    """A pool is alone in its rule, so there is nothing to weigh it against."""
    for backend in manifests.backends():
        weight = whole(backend.node, "weight")
        if backend.is_pool and weight not in {None, 1}:
            yield backend.spot(
                f'the weight {weight} of the pool "{backend.name}" has no effect', "weight"
            )
