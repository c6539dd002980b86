"""The set that was published last, and the next one."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from msgspec import structs

from epp.discovery.resolver import Resolver
from epp.discovery.source import Publish
from epp.discovery.target import Target
from epp.pool.endpoint import Endpoint

log = logging.getLogger("epp.discovery")


class Roster:
    """Resolves targets and publishes what they come to, if it differs from the last set."""

    def __init__(self, resolver: Resolver, publish: Publish) -> None:
        self._resolver = resolver
        self._publish = publish
        self._published: list[tuple[object, ...]] | None = None

    async def update(self, targets: Sequence[Target]) -> None:
        """Publish the endpoints of `targets`.

        If none of them can be resolved the last set stays: an empty pool helps nobody.
        """
        names = {name for target in targets for name in target.names()}
        answers = await self._resolver.answers(names)
        endpoints = [endpoint for target in targets for endpoint in target.endpoints(answers)]
        if endpoints or not targets:
            self._offer(endpoints)

    def _offer(self, endpoints: Sequence[Endpoint]) -> None:
        comparable = [structs.astuple(endpoint) for endpoint in endpoints]
        if comparable == self._published:
            return
        self._published = comparable
        log.info("endpoints found", extra={"endpoints": len(endpoints)})
        self._publish(endpoints)
