"""Keeps the load of every endpoint of the pool fresh."""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.pool.store import Change, Store
from epp.scrape.client import Client
from epp.scrape.engines import Engine
from epp.scrape.errors import Kind, ScrapeError
from epp.scrape.interview import Answer, Interview
from epp.scrape.pace import Pace
from epp.scrape.replica import Replica
from epp.scrape.tls import tls_context
from epp.scrape.ways import Ways

_log = logging.getLogger(__name__)

# So many replicas are asked in one moment, on average: more would hold up requests while all their
# answers are read.
_TOGETHER = 4


class Poller:
    """Asks every endpoint for its metrics and reports them to the store while `run` runs.

    `scrapes` and `errors` count what came of it. `in_flight` says how many requests of ours an
    endpoint has: one that has any is in use, however long ago it was picked. `engines` are those
    of the configuration. `token` goes out as a bearer token; `tls` is how an https endpoint is
    trusted, `tls_context()` by default.
    """

    def __init__(
        self,
        store: Store,
        *,
        rng: random.Random,
        pace: Pace | None = None,
        in_flight: Callable[[Endpoint], int] = lambda _: 0,
        engines: Mapping[str, Engine] | None = None,
        token: str = "",
        tls: ssl.SSLContext | None = None,
        timeout_s: float = 1.0,
        max_bytes: int = 1 << 20,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.scrapes = 0
        self.errors: Counter[Kind] = Counter()
        self._store = store
        self._rng = rng
        self._pace = pace or Pace()
        self._in_flight = in_flight
        self._engines = engines or {}
        self._token = token
        self._tls = tls
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._clock = clock
        self._replicas: dict[str, Replica] = {}
        self._group: asyncio.TaskGroup | None = None

    def __repr__(self) -> str:
        errors = sum(self.errors.values())
        return f"<Poller of {len(self._replicas)}, {self.scrapes} scrapes, {errors} errors>"

    async def run(self) -> None:
        """Ask until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._start(group)
            try:
                await asyncio.Event().wait()
            finally:
                self._stop()

    def follow(self, change: Change) -> None:
        """Ask those that joined, no longer those that left; before `run` or during it."""
        for endpoint in change.left:
            replica = self._replicas.pop(endpoint.address, None)
            if replica is not None:
                replica.close()
        for endpoint in change.joined:
            if endpoint.metrics_url:
                self._add(endpoint)

    def used(self, endpoint: Endpoint) -> None:
        """Take note that `endpoint` was picked: it is asked often from now on."""
        replica = self._replicas.get(endpoint.address)
        if replica is not None:
            replica.used()

    def freed(self, endpoint: Endpoint) -> None:
        """Take note that a request of ours ended there."""
        replica = self._replicas.get(endpoint.address)
        if replica is not None:
            replica.recount()

    def _start(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        for replica in self._replicas.values():
            replica.start()

    def _stop(self) -> None:
        self._group = None
        for replica in self._replicas.values():
            replica.close()

    def _add(self, endpoint: Endpoint) -> None:
        try:
            replica = self._replica(endpoint)
        except ScrapeError as error:
            self.errors[error.kind] += 1
            _log.error("metrics of %s are never read: %s", endpoint, error)
            return
        self._replicas[endpoint.address] = replica
        if self._group is not None:
            replica.start()

    def _replica(self, endpoint: Endpoint) -> Replica:
        ways = Ways(endpoint, self._token, self._engines)
        if endpoint.metrics_url.startswith("https:") and self._tls is None:
            self._tls = tls_context()
        return Replica(
            endpoint,
            self._client,
            Interview(endpoint, ways, clock=self._clock, ours=self._in_flight),
            self._report,
            recounted=self._store.report,
            pace=self._pace,
            clock=self._clock,
            rng=self._rng,
            in_flight=self._in_flight,
            moments=self._moments,
        )

    def _moments(self) -> int:
        return max(1, len(self._replicas) // _TOGETHER)

    def _client(self, answered: Callable[[Answer], None]) -> Client:
        return Client(
            answered,
            start=self._spawn,
            tls=self._tls,
            timeout_s=self._timeout_s,
            max_bytes=self._max_bytes,
        )

    def _spawn(self, connect: Coroutine[None, None, None]) -> asyncio.Task[None]:
        if self._group is None:
            connect.close()
            raise RuntimeError("a replica is asked only while the poller runs")
        return self._group.create_task(connect)

    def _report(self, endpoint: Endpoint, read: Load | ScrapeError) -> None:
        if isinstance(read, ScrapeError):
            self.errors[read.kind] += 1
        else:
            self.scrapes += 1
            self._store.report(endpoint, read)
