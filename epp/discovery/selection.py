"""The pods of a pool whose selector may change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeAlias

from epp.discovery.cluster import Cluster
from epp.discovery.inference_pool import Pool
from epp.discovery.pods import Pod

Selected: TypeAlias = Callable[[Pool, Mapping[str, Pod]], None]


class Selection:
    """Follows the pods of one pool after the other, inside a task group.

    When the selector changes, the old pods stay until the new ones are listed: a half-read list is
    never taken for the pool, and neither are new ports with old pods.
    """

    def __init__(self, cluster: Cluster, group: asyncio.TaskGroup, selected: Selected) -> None:
        self._cluster = cluster
        self._group = group
        self._selected = selected
        self._current: _Following | None = None
        self._next: _Following | None = None

    def select(self, pool: Pool) -> None:
        """Follow the pods of `pool` from now on."""
        if not pool.selector:
            self.clear()
            self._selected(pool, {})
        elif _follows(self._current, pool):
            self._next = _ended(self._next)
            self._pool_of(self._current, pool)
        elif _follows(self._next, pool):
            self._pool_of(self._next, pool)
        else:
            _ended(self._next)
            self._next = self._follow(pool)

    def clear(self) -> None:
        """Follow no pods any more."""
        self._current, self._next = _ended(self._current), _ended(self._next)

    def _follow(self, pool: Pool) -> _Following:
        following = _Following(pool)
        collection = self._cluster.follow(
            f"/api/v1/namespaces/{pool.namespace}/pods",
            Pod,
            lambda pods: self._changed(following, pods),
            label_selector=pool.label_selector,
        )
        following.task = self._group.create_task(collection.run())
        return following

    def _pool_of(self, following: _Following | None, pool: Pool) -> None:
        assert following is not None
        following.pool = pool
        if following.pods is not None:
            self._selected(pool, following.pods)

    def _changed(self, following: _Following, pods: Mapping[str, Pod]) -> None:
        following.pods = pods
        if following is self._next:
            _ended(self._current)
            self._current, self._next = following, None
        if following is self._current:
            self._selected(following.pool, pods)


class _Following:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.pods: Mapping[str, Pod] | None = None  # None: not listed yet
        self.task: asyncio.Task[None] | None = None


def _follows(following: _Following | None, pool: Pool) -> bool:
    return following is not None and following.pool.selector == pool.selector


def _ended(following: _Following | None) -> None:
    if following is not None and following.task is not None:
        following.task.cancel()
