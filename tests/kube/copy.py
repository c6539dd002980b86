"""A reflector at work, and what it told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from epp.kube.client import KubeClient
from epp.kube.objects import KubeObject
from epp.kube.pace import ReflectorPace
from epp.kube.reflector import Reflector

PODS = "/api/v1/namespaces/default/pods"

# A fifth of the usual waits, and a watch that is silent for half a second is a dead one.
QUICK = ReflectorPace(
    backoff_s=0.16, max_backoff_s=2.0, idle_s=0.5, quick_s=0.4, forget_failures_s=24.0
)


class Copy:
    """What `changed` was called with."""

    def __init__(self) -> None:
        self.calls: list[Mapping[str, KubeObject]] = []
        self._moved = asyncio.Event()

    def changed(self, objects: Mapping[str, KubeObject]) -> None:
        self.calls.append(objects)
        self._moved.set()

    @property
    def names(self) -> list[str]:
        return sorted(self.calls[-1]) if self.calls else []

    @property
    def versions(self) -> dict[str, str]:
        """Return what is known by name, for comparing with the server's."""
        last = self.calls[-1] if self.calls else {}
        return {name: known.metadata.resource_version for name, known in last.items()}

    async def until(self, versions: Mapping[str, str], within_s: float = 5.0) -> None:
        """Wait until the copy is what the server has."""
        async with asyncio.timeout(within_s):
            while self.versions != versions:
                self._moved.clear()
                await self._moved.wait()


@asynccontextmanager
async def reflecting(
    client: KubeClient,
    path: str = PODS,
    *,
    pace: ReflectorPace = QUICK,
    label_selector: str = "",
    seed: int = 5,
) -> AsyncIterator[tuple[Reflector[KubeObject], Copy]]:
    """Run a reflector while the context lasts."""
    copy = Copy()
    rng = random.Random(seed)
    reflector = Reflector(
        client,
        path,
        KubeObject,
        copy.changed,
        label_selector=label_selector,
        rng=rng,
        pace=lambda: pace,
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(reflector.run())
        yield reflector, copy
        task.cancel()
