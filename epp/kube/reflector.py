"""Keeps a copy of a collection of the API server's objects."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Generic

import msgspec

from epp.kube.client import KubeClient
from epp.kube.collection import Collection, T
from epp.kube.errors import KubeError, UnreadableError
from epp.kube.outcome import Outcome, closed, outcome_of
from epp.kube.pace import ReflectorPace
from epp.kube.step import Do, State, Step, next_step

log = logging.getLogger("epp.kube")

_MAX_PAGES = 1000


class ReflectorStats(msgspec.Struct):
    """What a reflector did; `restarts` are by reason, `last_event_at` is by its clock."""

    requests: int = 0
    relists: int = 0
    restarts: Counter[str] = msgspec.field(default_factory=Counter)
    last_event_at: float | None = None


class Reflector(Generic[T]):
    """Lists, watches, and lists again; never gives up, and keeps what it has while it cannot.

    `changed` gets the whole collection after the first list and after changes; all events that
    were there to be read make one call. Names are `namespace/name` if `path` is of all namespaces.
    """

    def __init__(
        self,
        client: KubeClient,
        path: str,
        kind: type[T],
        changed: Callable[[Mapping[str, T]], None],
        *,
        label_selector: str = "",
        field_selector: str = "",
        rng: random.Random,
        clock: Callable[[], float] = time.monotonic,
        pace: Callable[[], ReflectorPace] = ReflectorPace,
    ) -> None:
        self.synced = False
        self.stats = ReflectorStats()
        self._client = client
        self._path = path
        self._changed = changed
        self._selectors = {
            name: value
            for name, value in (
                ("labelSelector", label_selector),
                ("fieldSelector", field_selector),
            )
            if value
        }
        self._rng = rng
        self._clock = clock
        self._pace = pace
        self._collection = Collection(kind, one_namespace="/namespaces/" in path)
        self._news = asyncio.Event()
        self._listed = False
        self._warned = False

    def __repr__(self) -> str:
        size = len(self._collection.objects)
        return f"<Reflector of {self._path}, {size} objects, {self.stats.requests} requests>"

    async def run(self) -> None:
        """Follow the collection until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell())
            await self._follow()

    async def _tell(self) -> None:
        """Pass on what changed: this task has its turn when the other one has nothing to read."""
        while True:
            await self._news.wait()
            self._news.clear()
            self._changed(dict(self._collection.objects))
            self.synced = True

    async def _follow(self) -> None:
        state, step = State(), Step(Do.LIST)
        while True:
            await asyncio.sleep(step.after_s)
            state, step = await self._perform(state, step)

    async def _perform(self, state: State, step: Step) -> tuple[State, Step]:
        failure: KubeError | None = None
        try:
            outcome = await (self._list() if step.do is Do.LIST else self._watch(step.watch_s))
        except KubeError as error:
            failure, outcome = error, outcome_of(error)
        wanted_s = failure.retry_after_s if failure else 0.0
        state, step = next_step(state, outcome, self._clock(), self._pace(), self._rng, wanted_s)
        self._record(outcome, failure, state, step)
        return state, step

    async def _list(self) -> Outcome:
        objects: dict[str, T] = {}
        version = more = ""
        for _ in range(_MAX_PAGES):
            page = self._collection.page(await self._get_page(more))
            objects |= page.objects
            version = version or page.resource_version
            more = page.more
            if not more:
                self._take_over(objects, version)
                return Outcome.LISTED
        raise UnreadableError("a list without an end")

    async def _get_page(self, more: str) -> bytes:
        self.stats.requests += 1
        params = {**self._selectors, "limit": str(self._pace().page_limit)}
        return await self._client.get(self._path, params | ({"continue": more} if more else {}))

    def _take_over(self, objects: Mapping[str, T], version: str) -> None:
        if self._collection.replace(objects, version) or not self.synced:
            self._news.set()
        self.stats.relists += self._listed
        self._listed = True

    async def _watch(self, watch_s: float) -> Outcome:
        self.stats.requests += 1
        began, events, pace = self._clock(), 0, self._pace()
        try:
            # A server may ignore timeoutSeconds, and send bookmarks for ever.
            async with asyncio.timeout(watch_s + pace.late_s), self._opened(watch_s) as read:
                async for lines in read:
                    events += len(lines)
                    self._apply(lines)
        except TimeoutError:
            return Outcome.OVERDUE
        return closed(self._clock() - began, watch_s, events, pace)

    def _opened(self, watch_s: float) -> AbstractAsyncContextManager[AsyncIterator[list[bytes]]]:
        params = {
            **self._selectors,
            "resourceVersion": self._collection.resource_version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": f"{watch_s:.0f}",
        }
        return self._client.watch(self._path, params, idle_s=self._pace().idle_s)

    def _apply(self, lines: Sequence[bytes]) -> None:
        for line in lines:
            if self._collection.apply(line):
                self._news.set()
        self.stats.last_event_at = self._clock()

    def _record(
        self, outcome: Outcome, failure: KubeError | None, state: State, step: Step
    ) -> None:
        if outcome is not Outcome.LISTED:
            self.stats.restarts[outcome.value] += 1
        if step.due:
            self.stats.restarts["due"] += 1
        if failure is not None:
            self._log(failure, state, step)

    def _log(self, failure: KubeError, state: State, step: Step) -> None:
        """Warn of what is worth a pause, once in a row of failures."""
        self._warned = self._warned and state.failures > 1
        level = logging.WARNING if step.after_s > 0 and not self._warned else logging.DEBUG
        self._warned = self._warned or level == logging.WARNING
        what = (self._path, failure, step.do.value, step.after_s)
        log.log(level, "%s: %s; %s again in %.1f s", *what)
