"""Every InferencePool of a namespace, or of the cluster."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

import msgspec

from epp.discovery.cluster import Cluster
from epp.discovery.inference_pool import InferencePool, LegacyInferencePool, Pool, meaning
from epp.discovery.pool_api import find_pool_api

log = logging.getLogger("epp.discovery")


class PoolsChange(msgspec.Struct, frozen=True):
    """Which pools came, which mean something else now, and which went; in the order of names."""

    came: tuple[Pool, ...] = ()
    altered: tuple[Pool, ...] = ()
    went: tuple[Pool, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.came or self.altered or self.went)


class AllPools:
    """Tells which pools there are: the caller runs a PoolSource for each."""

    def __init__(
        self, cluster: Cluster, namespace: str = "", *, changed: Callable[[PoolsChange], None]
    ) -> None:
        self.pools: Mapping[str, Pool] = {}  # by "namespace/name"
        self._cluster = cluster
        self._namespace = namespace  # empty: all of them
        self._changed = changed
        self._listed = False

    def __repr__(self) -> str:
        return f"<AllPools of {self._namespace or 'the cluster'}: {len(self.pools)}>"

    async def run(self) -> None:
        """Follow until cancelled; the first change is told even if there are no pools."""
        api = await find_pool_api(self._cluster)
        await self._cluster.follow(api.path(self._namespace), api.kind, self._found).run()

    def _found(self, found: Mapping[str, InferencePool | LegacyInferencePool]) -> None:
        before, self.pools = self.pools, _there(found.values())
        change = difference(before, self.pools)
        if self._listed and not change:
            return
        self._listed = True
        for pool in change.went:
            log.info("InferencePool gone", extra={"pool": str(pool)})
        self._changed(change)


def difference(before: Mapping[str, Pool], after: Mapping[str, Pool]) -> PoolsChange:
    """Return what made `after` out of `before`."""
    return PoolsChange(
        tuple(pool for name, pool in after.items() if name not in before),
        tuple(pool for name, pool in after.items() if before.get(name, pool) != pool),
        tuple(pool for name, pool in before.items() if name not in after),
    )


def _there(found: Iterable[InferencePool | LegacyInferencePool]) -> dict[str, Pool]:
    pools = [meaning(one) for one in found]
    return {str(pool): pool for pool in sorted(pools, key=str) if not pool.terminating}
