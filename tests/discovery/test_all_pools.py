from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from epp.discovery.all_pools import AllPools, PoolsChange
from tests.discovery.cluster import POOLS, FakeCluster, Followed, pool

API = "/apis/inference.networking.k8s.io/v1"


@asynccontextmanager
async def following(namespace: str = "") -> AsyncIterator[tuple[Followed[Any], list[PoolsChange]]]:
    cluster = FakeCluster(POOLS)
    changes: list[PoolsChange] = []
    pools = AllPools(cluster, namespace, changed=changes.append)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(pools.run())
        await asyncio.sleep(1)
        (path,) = cluster.followed
        inside = f"/namespaces/{namespace}" if namespace else ""
        assert path == f"{API}{inside}/inferencepools"
        yield cluster.at(path), changes
        task.cancel()


def names(change: PoolsChange) -> list[list[str]]:
    return [[str(p) for p in part] for part in (change.came, change.altered, change.went)]


@pytest.mark.looptime
async def test_pools_come_change_and_go() -> None:
    async with following() as (pools, changes):
        pools.feed(pool("b"), pool("a"))
        pools.feed(pool("b", targetPorts=[{"number": 1}]), pool("c"))
        pools.feed()
    assert [names(change) for change in changes] == [
        [["prod/a", "prod/b"], [], []],
        [["prod/c"], ["prod/b"], ["prod/a"]],
        [[], [], ["prod/b", "prod/c"]],
    ]
    assert changes[1].altered[0].ports == (1,)


@pytest.mark.looptime
async def test_the_first_word_is_told_even_if_there_are_no_pools_and_no_change_is_not() -> None:
    async with following("prod") as (pools, changes):
        pools.feed()
        pools.feed()
        pools.feed(pool("a"))
        pools.feed(pool("a", metadata={"resourceVersion": "7"}))
    assert [names(change) for change in changes] == [[[], [], []], [["prod/a"], [], []]]


@pytest.mark.looptime
async def test_a_pool_that_is_being_deleted_has_gone() -> None:
    async with following() as (pools, changes):
        pools.feed(pool("a"))
        pools.feed(pool("a", metadata={"deletionTimestamp": "2026-11-23T10:00:00Z"}))
    assert names(changes[-1]) == [[], [], ["prod/a"]]
