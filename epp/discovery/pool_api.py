"""Where the cluster has its InferencePools."""

from __future__ import annotations

import asyncio
import logging

import msgspec

from epp.discovery.cluster import Cluster
from epp.discovery.inference_pool import GROUP, LEGACY_GROUP, InferencePool, LegacyInferencePool

log = logging.getLogger("epp.discovery")

PLURAL = "inferencepools"
ABSENT_S = 10.0


class PoolApi(msgspec.Struct, frozen=True):
    """One version of the API."""

    group_version: str
    kind: type[InferencePool | LegacyInferencePool]

    def path(self, namespace: str = "") -> str:
        """Return where the pools of `namespace` are, or of all namespaces."""
        return collection_path(self.group_version, namespace, PLURAL)


V1 = PoolApi(f"{GROUP}/v1", InferencePool)
V1ALPHA2 = PoolApi(f"{LEGACY_GROUP}/v1alpha2", LegacyInferencePool)
_LOOKED_FOR = {"apis": [V1.group_version, V1ALPHA2.group_version]}


async def find_pool_api(cluster: Cluster) -> PoolApi:
    """Return v1, or v1alpha2 where only that is served; wait where neither is."""
    told = False
    while True:
        for api in (V1, V1ALPHA2):
            if await cluster.serves(api.group_version, PLURAL):
                return api
        if not told:
            told = True
            log.error("the cluster serves no InferencePools: install their CRDs", extra=_LOOKED_FOR)
        await asyncio.sleep(ABSENT_S)


def collection_path(group_version: str, namespace: str, plural: str) -> str:
    """Return the path of a collection outside the core group."""
    inside = f"namespaces/{namespace}/" if namespace else ""
    return f"/apis/{group_version}/{inside}{plural}"
