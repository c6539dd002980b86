"""Whether bodies fit through the gateway, and answers come as they are written."""

from __future__ import annotations

from collections.abc import Iterator

from epp.document.node import Node
from epp.manifests.lint.look import find, items, text
from epp.manifests.lint.manifest import Manifest, Spot
from epp.manifests.lint.manifests import Manifests
from epp.manifests.lint.pool import Pool
from epp.manifests.lint.route import Route
from epp.manifests.names import BODY_MODE, GATEWAY_BUFFER_BYTES
from epp.manifests.quantity import quantity_bytes

PICKER_BODY_BYTES = 16 * 1024 * 1024  # of the picker, if --max-body-bytes does not say otherwise


def stream_held_back(manifests: Manifests) -> Iterator[Spot]:
    """A buffered pool without mode override: streamed answers arrive all at once, at their end."""
    for pool in manifests.pools:
        if pool.buffered and not pool.override:
            node = pool.annotations[BODY_MODE]
            yield pool.manifest.spot(node, "buffered, and no override is allowed")


def buffer_limit(manifests: Manifests) -> Iterator[Spot]:
    """Bodies are buffered (always on an AIGatewayRoute, and for a buffered pool), and no given
    ClientTrafficPolicy raises the limit of 32 KiB: a longer prompt is a 413."""
    for route in manifests.routes:
        why = _buffers(manifests, route)
        if why and not _limits(manifests, route):
            wrong = f"{why}, and no given ClientTrafficPolicy has a bufferLimit for its Gateway"
            yield route.manifest.spot(route.manifest.root.at("metadata", "name"), wrong)


def _buffers(manifests: Manifests, route: Route) -> str:
    backends = [pool for rule in route.rules for pool in rule.pools]
    if route.is_ai and backends:
        return "an AIGatewayRoute buffers request bodies"
    pools = (manifests.pool_of(backend) for backend in backends)
    buffered = next((pool for pool in pools if pool is not None and pool.buffered), None)
    return "" if buffered is None else f'the pool "{buffered.manifest.name}" is buffered'


def _limits(manifests: Manifests, route: Route) -> list[int]:
    """The limits of the route's Gateways that are above the default."""
    found = []
    for policy in manifests.of("ClientTrafficPolicy"):
        limit = _limit(policy)
        if limit > GATEWAY_BUFFER_BYTES and _targets(policy, route):
            found.append(limit)
    return found


def _limit(policy: Manifest) -> int:
    written = find(policy.root, "spec", "connection", "bufferLimit")
    return 0 if written is None else quantity_bytes(str(written.value)) or 0


def _targets(policy: Manifest, route: Route) -> bool:
    references: list[Node] = items(policy.root, "spec", "targetRefs")
    single = find(policy.root, "spec", "targetRef")
    names = {text(node, "name") for node in [*references, *([single] if single else [])]}
    chosen_by_label = bool(items(policy.root, "spec", "targetSelectors"))
    return chosen_by_label or not route.gateways or bool(names & set(route.gateways))


def buffer_above_picker(manifests: Manifests) -> Iterator[Spot]:
    """The gateway buffers longer bodies than the picker takes: between the two limits, a request
    is a 500."""
    for pool, workload in manifests.pickers():
        picker = workload.picker
        if picker is None:
            continue
        written = picker.value("max-body-bytes") or str(PICKER_BODY_BYTES)
        most = int(written) if written.isdecimal() else PICKER_BODY_BYTES
        for policy in _policies(manifests, pool):
            if _limit(policy) > most:
                node = policy.root.at("spec", "connection", "bufferLimit")
                wrong = f'the picker "{workload.manifest.name}" takes {most} bytes at most'
                yield policy.spot(node, wrong)


def _policies(manifests: Manifests, pool: Pool) -> list[Manifest]:
    routes = {
        id(backend.route): backend.route
        for backend in manifests.backends()
        if backend.is_pool and manifests.pool_of(backend) is pool
    }.values()
    policies = manifests.of("ClientTrafficPolicy")
    return [p for p in policies if any(_targets(p, route) for route in routes)]
