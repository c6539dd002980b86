"""All objects that are checked together, and how they hang together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from epp.manifests.lint.look import labels
from epp.manifests.lint.manifest import Manifest, same_namespace
from epp.manifests.lint.pool import Pool
from epp.manifests.lint.route import Backend, Route
from epp.manifests.lint.workload import Workload, workloads
from epp.manifests.names import AI_GATEWAY_GROUP, GATEWAY_GROUP, POOL_GROUP

_ROUTES = {("AIGatewayRoute", AI_GATEWAY_GROUP), ("HTTPRoute", GATEWAY_GROUP)}


class Manifests:
    """The objects of all files."""

    def __init__(self, objects: Iterable[Manifest]) -> None:
        self.all = list(objects)
        self.routes = [Route(m) for m in self.all if (m.kind, m.group) in _ROUTES]
        self.pools = [Pool(m) for m in self.of("InferencePool") if m.group == POOL_GROUP]
        self.services = [m for m in self.of("Service") if not m.group]
        self.workloads = [w for manifest in self.all for w in workloads(manifest)]

    def of(self, *kinds: str) -> list[Manifest]:
        """Return the objects of these kinds."""
        return [manifest for manifest in self.all if manifest.kind in kinds]

    def backends(self) -> Iterator[Backend]:
        """Yield every backend of every route."""
        for route in self.routes:
            for rule in route.rules:
                yield from rule.backends

    def pool_of(self, backend: Backend) -> Pool | None:
        """Return the pool that `backend` refers to, if it is given."""
        for pool in self.pools:
            here = same_namespace(pool.manifest.namespace, backend.namespace)
            if here and pool.manifest.name == backend.name:
                return pool
        return None

    def service_of(self, pool: Pool) -> Manifest | None:
        """Return the Service of the pool's picker, if it is given."""
        for service in self.services:
            here = same_namespace(service.namespace, pool.manifest.namespace)
            if here and service.name == pool.picker:
                return service
        return None

    def selected(self, selector: Mapping[str, str], namespace: str) -> list[Workload]:
        """Return what runs pods with these labels."""
        return [
            workload
            for workload in self.workloads
            if same_namespace(workload.manifest.namespace, namespace)
            and workload.selected_by(selector)
        ]

    def pickers(self) -> Iterator[tuple[Pool, Workload]]:
        """Yield each pool with what runs its picker."""
        for pool in self.pools:
            service = self.service_of(pool)
            if service is not None:
                selector = labels(service.root, "spec", "selector")
                for workload in self.selected(selector, service.namespace):
                    yield pool, workload
