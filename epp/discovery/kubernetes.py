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
from epp.pool.endpoint import Endpoint

log = logging.getLogger("epp.discovery")

T = TypeVar("T", bound=KubeObject)

PROBE_S = 60.0


class PoolSource:
    """Follows a pool, its pods, and the objectives and rewrites that belong to it.

    While the API server is away, all of them stay as they were. A pool that is deleted is empty;
    one that is not there yet is waited for, and nothing is published.

    `told` gets what is known beside the endpoints whenever it has changed, and the first time when
    the server has said whether there is such a pool; always before the endpoints that go with it.
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
        self._cluster = cluster
        self._namespace = namespace
        self._name = name
        self._membership = Membership(rules)
        self._limits = limits
        self._told = told
        self._settle_s = settle_s
        self._probe_s = probe_s
        self._api = ""
        self._last: PoolFacts | None = None  # that was told
        self._pool: Pool | None = None
        self._looked = False  # the server has said whether there is such a pool
        self._objectives: Mapping[str, InferenceObjective] = {}
        self._rewrites: Mapping[str, InferenceModelRewrite] = {}

    def __repr__(self) -> str:
        return f"<PoolSource {self._namespace}/{self._name}, {self._membership!r}>"

    @property
    def facts(self) -> PoolFacts:
        """What is known now."""
        return self._last or PoolFacts()

    async def run(self, publish: Publish) -> None:
        """Publish the pool's endpoints until cancelled."""
        api = await find_pool_api(self._cluster)
        self._api = api.group_version
        settled = Settled(publish, self._settle_s)
        async with asyncio.TaskGroup() as group:
            group.create_task(settled.run())
            selection = Selection(
                self._cluster,
                group,
                lambda pool, pods: settled.offer(lambda: self._endpoints(pool, pods)),
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
        self._pool, self._looked = pool, True
        self._refresh()
        if pool is not None and not pool.terminating:
            selection.select(pool)
            return
        selection.clear()
        settled.withdraw()

    def _endpoints(self, pool: Pool, pods: Mapping[str, Pod]) -> tuple[Endpoint, ...]:
        found = self._membership.update(pool, pods)
        self._tell(structs.replace(self.facts, of_pods=found.complaints))
        return found.endpoints

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
        path = collection_path(group_version, self._namespace, plural)
        while True:
            if await self._cluster.serves(group_version, plural):
                await self._cluster.follow(path, kind, changed).run()
            await asyncio.sleep(self._probe_s)

    def _refresh(self) -> None:
        if not self._looked:
            return
        known = facts(self._pool, self._objectives.values(), self._rewrites.values(), self._limits)
        of_pods = self.facts.of_pods if known.exists else ()
        self._tell(structs.replace(known, of_pods=of_pods))

    def _tell(self, known: PoolFacts) -> None:
        if known == self._last:
            return
        before, self._last = self.facts, known
        if before.exists != known.exists or before.pool is None:
            self._log_state(known)
        said = {(c.kind, c.where, c.text) for c in before.complaints}
        for complaint in known.complaints:
            if (complaint.kind, complaint.where, complaint.text) not in said:
                log.warning("something should be mended", extra={"problem": str(complaint)})
        self._told(known)

    def _log_state(self, known: PoolFacts) -> None:
        extra = {"pool": f"{self._namespace}/{self._name}", "api": self._api}
        if known.exists:
            log.info("InferencePool found", extra=extra)
        elif known.pool is None:
            log.warning("there is no such InferencePool; waiting for it", extra=extra)
        else:
            log.warning(
                "the InferencePool is being deleted; its endpoints are dropped", extra=extra
            )
