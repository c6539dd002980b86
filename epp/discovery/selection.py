"""The pods of a pool whose selector may change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeAlias

from epp.discovery.cluster import Cluster
from epp.discovery.inference_pool import Pool
from epp.discovery.pods import Pod
from epp.discovery.tasks import start

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
        elif self._current is not None and self._current.pool.selector == pool.selector:
            self._follow_no_others()
            self._current.pool = pool
            self._selected(pool, self._current.pods)
        elif self._next is not None and self._next.pool.selector == pool.selector:
            self._next.pool = pool
        else:
            self._follow_no_others()
            self._next = self._follow(pool)

    def clear(self) -> None:
        """Follow no pods any more."""
        self._follow_no_others()
        if self._current is not None:
            self._current.end()
            self._current = None

    def _follow_no_others(self) -> None:
        if self._next is not None:
            self._next.end()
            self._next = None

    def _follow(self, pool: Pool) -> _Following:
        following = _Following(pool)
        collection = self._cluster.follow(
            f"/api/v1/namespaces/{pool.namespace}/pods",
            Pod,
            lambda pods: self._changed(following, pods),
            label_selector=pool.label_selector,
        )
        following.task = start(self._group, collection.run())
        return following

    def _changed(self, following: _Following, pods: Mapping[str, Pod]) -> None:
        if following is self._next:
            if self._current is not None:
                self._current.end()
            self._current, self._next = following, None
        if following is self._current:
            following.pods = pods
            self._selected(following.pool, pods)


class _Following:
    """The pods of one selector; `pool` is the last that had it."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.pods: Mapping[str, Pod] = {}  # as they were last
        self.task: asyncio.Task[None] | None = None

    def end(self) -> None:
        if self.task is not None:
            self.task.cancel()
