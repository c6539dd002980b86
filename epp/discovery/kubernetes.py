"""The endpoints of one InferencePool, as the cluster has them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

from msgspec import structs

from epp.discovery import objectives, rewrites
from epp.discovery.annotations import SettingLimits
from epp.discovery.cluster import Cluster
from epp.discovery.complaint import Complaint
from epp.discovery.facts import PoolFacts, facts
from epp.discovery.inference_pool import InferencePool, LegacyInferencePool, Pool, meaning
from epp.discovery.membership import Membership
from epp.discovery.objectives import InferenceObjective
from epp.discovery.pods import Pod, PodRules
from epp.discovery.pool_api import collection_path, find_pool_api
from epp.discovery.pool_ref import GROUP, VERSION
from epp.discovery.rewrites import InferenceModelRewrite
from epp.discovery.selection import Selection
from epp.discovery.settled import SETTLE_S, Settled
from epp.discovery.source import Publish
from epp.kube.objects import KubeObject

log = logging.getLogger("epp.discovery")

T = TypeVar("T", bound=KubeObject)

PROBE_S = 60.0


class PoolSource:
    """Follows a pool, its pods, and the objectives and rewrites that belong to it.

    While the API server is away, all of them stay as they were. A pool that is deleted is empty;
    one that is not there yet is waited for, and nothing is published.

    `facts` is what is known now, beside the endpoints; `told` gets it whenever it has changed, and
    the first time when the server has said whether there is such a pool.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        name: str,
        *,
        rules: PodRules = PodRules(),  # noqa: B008  a frozen value
        limits: SettingLimits = SettingLimits(),  # noqa: B008  the same
        told: Callable[[PoolFacts], None] = lambda _: None,
        settle_s: float = SETTLE_S,
        probe_s: float = PROBE_S,
    ) -> None:
        self.facts = PoolFacts()
        self._cluster = cluster
        self._namespace = namespace
        self._name = name
        self._membership = Membership(rules)
        self._limits = limits
        self._told = told
        self._settle_s = settle_s
        self._probe_s = probe_s
        self._pool: Pool | None = None
        self._looked = False  # the server has said whether there is such a pool
        self._objectives: Mapping[str, InferenceObjective] = {}
        self._rewrites: Mapping[str, InferenceModelRewrite] = {}

    def __repr__(self) -> str:
        return f"<PoolSource {self._namespace}/{self._name}, {self._membership!r}>"

    async def run(self, publish: Publish) -> None:
        """Publish the pool's endpoints until cancelled."""
        api = await find_pool_api(self._cluster)
        settled = Settled(publish, self._settle_s)
        async with asyncio.TaskGroup() as group:
            group.create_task(settled.run())
            selection = Selection(
                self._cluster, group, lambda pool, pods: self._selected(settled, pool, pods)
            )
            pools = self._cluster.follow(
                api.path(self._namespace),
                api.kind,
                lambda found: self._pool_changed(found, selection, settled),
                field_selector=f"metadata.name={self._name}",
            )
            group.create_task(pools.run())
            group.create_task(self._follow_objectives())
            group.create_task(self._follow_rewrites())

    def _pool_changed(
        self,
        found: Mapping[str, InferencePool | LegacyInferencePool],
        selection: Selection,
        settled: Settled,
    ) -> None:
        named = (one for one in found.values() if one.metadata.name == self._name)
        pool = next((meaning(one) for one in named), None)
        self._say_whether(pool)
        self._pool, self._looked = pool, True
        self._refresh()
        if pool is not None and not pool.terminating:
            selection.select(pool)
            return
        selection.clear()
        if settled.published is not None:
            settled.offer(())

    def _selected(self, settled: Settled, pool: Pool, pods: Mapping[str, Pod]) -> None:
        found = self._membership.update(pool, pods)
        self._tell(structs.replace(self.facts, of_pods=found.complaints))
        settled.offer(found.endpoints)

    async def _follow_objectives(self) -> None:
        def changed(found: Mapping[str, InferenceObjective]) -> None:
            self._objectives = found
            self._refresh()

        await self._follow_served(objectives.PLURAL, InferenceObjective, changed)

    async def _follow_rewrites(self) -> None:
        def changed(found: Mapping[str, InferenceModelRewrite]) -> None:
            self._rewrites = found
            self._refresh()

        await self._follow_served(rewrites.PLURAL, InferenceModelRewrite, changed)

    async def _follow_served(
        self, plural: str, kind: type[T], changed: Callable[[Mapping[str, T]], None]
    ) -> None:
        group_version = f"{GROUP}/{VERSION}"
        while not await self._cluster.serves(group_version, plural):
            await asyncio.sleep(self._probe_s)
        path = collection_path(group_version, self._namespace, plural)
        await self._cluster.follow(path, kind, changed).run()

    def _refresh(self) -> None:
        known = facts(
            self._pool, self._objectives.values(), self._rewrites.values(), self._limits
        )
        of_pods = self.facts.of_pods if known.exists else ()
        self._tell(structs.replace(known, of_pods=of_pods))

    def _tell(self, known: PoolFacts) -> None:
        ...

    def _say_whether(self, pool: Pool | None) -> None:
        ...
