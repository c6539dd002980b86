from __future__ import annotations

import asyncio
import logging

import pytest

from epp.discovery.pool_api import V1, V1ALPHA2, find_pool_api
from tests.discovery.cluster import LEGACY_POOLS, POOLS, FakeCluster


@pytest.mark.parametrize("served", [[POOLS], [POOLS, LEGACY_POOLS]])
async def test_v1_is_taken_where_it_is_served(served: list[str]) -> None:
    assert await find_pool_api(FakeCluster(*served)) is V1


async def test_v1alpha2_is_taken_where_only_that_is_served() -> None:
    assert await find_pool_api(FakeCluster(LEGACY_POOLS)) is V1ALPHA2


@pytest.mark.looptime
async def test_a_cluster_without_pools_is_asked_again_and_told_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cluster = FakeCluster()
    caplog.set_level(logging.INFO, "epp.discovery")
    async with asyncio.TaskGroup() as group:
        found = group.create_task(find_pool_api(cluster))
        await asyncio.sleep(25)
        cluster.served.add(POOLS)
        assert await found is V1
    assert asyncio.get_running_loop().time() == 30
    (told,) = caplog.records
    assert "install their CRDs" in told.getMessage()


def test_pools_are_in_a_namespace_or_in_all() -> None:
    assert V1.path("prod") == (
        "/apis/inference.networking.k8s.io/v1/namespaces/prod/inferencepools"
    )
    assert V1ALPHA2.path() == "/apis/inference.networking.x-k8s.io/v1alpha2/inferencepools"
