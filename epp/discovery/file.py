"""Endpoints in a file that is read again when it changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any, TypeAlias

from epp.discovery.error import EndpointsFileError
from epp.discovery.parse import parse_targets
from epp.discovery.resolver import Resolver
from epp.discovery.roster import Roster
from epp.discovery.source import Publish
from epp.discovery.static import RESOLVE_S, RETRY_S
from epp.discovery.target import Target
from epp.document.problem import Problem
from epp.document.read import MAX_BYTES
from epp.pool.engine_names import ENGINE_NAMES

log = logging.getLogger("epp.discovery")

POLL_S = 1.0
SETTLE_S = 0.1
SETTLE_TRIES = 10

Offload: TypeAlias = Callable[..., Awaitable[Any]]


def load_targets(path: Path, engines: Collection[str] = ENGINE_NAMES) -> tuple[Target, ...]:
    """Return the servers in the file at `path`; EndpointsFileError says why it has none."""
    return parse_targets(read_file(path), str(path), engines)


def read_file(path: Path) -> bytes:
    """Return the file, cut just above the size that is refused."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        problem = Problem(1, f"cannot be read: {error.strerror}")
        raise EndpointsFileError(str(path), [problem]) from error


class FileSource:
    """Polls by content, so that a rename, a rewrite in place and a mounted volume are all seen.

    A file that is broken or gone leaves the last good set standing, and is complained of once.
    """

    def __init__(
        self,
        path: Path,
        resolver: Resolver | None = None,
        *,
        engines: Collection[str] = ENGINE_NAMES,
        poll_s: float = POLL_S,
        settle_s: float = SETTLE_S,
        resolve_s: float = RESOLVE_S,
        offload: Offload = asyncio.to_thread,
    ) -> None:
        self._path = path
        self._resolver = resolver or Resolver()
        self._engines = engines
        self._poll_s = poll_s
        self._settle_s = settle_s
        self._resolve_s = resolve_s
        self._offload = offload  # a disk may hang, and a long file takes a while to parse
        self._content: bytes | None = None
        self._targets: tuple[Target, ...] | None = None
        self._complaint = ""

    async def run(self, publish: Publish) -> None:
        """Publish what the file says, and what it says later."""
        roster = Roster(self._resolver, publish)
        now = asyncio.get_running_loop().time
        due = now()
        while True:
            changed = await self._reload()
            if self._targets is not None and (changed or now() >= due):
                await roster.update(self._targets)
                due = now() + (RETRY_S if self._resolver.lacking else self._resolve_s)
            await asyncio.sleep(self._poll_s)

    async def _reload(self) -> bool:
        try:
            content = await self._settled()
            if content is None or content == self._content:
                return False
            self._content = content
            self._targets = await self._offload(
                parse_targets, content, str(self._path), self._engines
            )
        except EndpointsFileError as error:
            self._complain(error)
            return False
        if self._complaint:
            self._complaint = ""
            log.info("endpoints file is good again", extra={"path": str(self._path)})
        return True

    async def _settled(self) -> bytes | None:
        """Return the content that two readings agree on: half a list can be a good list.

        At first there is nothing to lose, and one reading is enough.
        """
        content = await self._read()
        if self._targets is None:
            return content
        for _ in range(SETTLE_TRIES):
            if content == self._content:
                return content
            await asyncio.sleep(self._settle_s)
            before, content = content, await self._read()
            if content == before:
                return content
        return None

    async def _read(self) -> bytes:
        try:
            content: bytes = await self._offload(read_file, self._path)
        except EndpointsFileError:
            self._content = None  # what comes back is looked at anew, and the complaint ends
            raise
        return content

    def _complain(self, error: EndpointsFileError) -> None:
        if str(error) == self._complaint:
            return
        self._complaint = str(error)
        kept = len(self._targets or ())
        what = "the last good one stays" if self._targets is not None else "waiting for a good one"
        extra = {"path": str(self._path), "problem": str(error), "endpoints": kept}
        log.error("endpoints file cannot be used; %s", what, extra=extra)
