"""Endpoints given on the command line."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from epp.discovery.resolver import Resolver
from epp.discovery.roster import Roster
from epp.discovery.source import Publish
from epp.discovery.target import Target

RESOLVE_S = 30.0
RETRY_S = 1.0


class StaticSource:
    """A list that never changes, but for the addresses behind its names."""

    def __init__(
        self,
        targets: Sequence[Target],
        resolver: Resolver | None = None,
        resolve_s: float = RESOLVE_S,
    ) -> None:
        self._targets = tuple(targets)
        self._resolver = resolver or Resolver()
        self._resolve_s = resolve_s

    async def run(self, publish: Publish) -> None:
        """Publish; with host names, ask for their addresses again and again."""
        roster = Roster(self._resolver, publish)
        await roster.update(self._targets)
        while any(target.names() for target in self._targets):
            retry_s = min(RETRY_S, self._resolve_s)
            await asyncio.sleep(retry_s if self._resolver.lacking else self._resolve_s)
            await roster.update(self._targets)
