"""The pool's single writer."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.pool.snapshot import Snapshot


class Change(msgspec.Struct, frozen=True):
    """What one `Store.replace` did."""

    joined: tuple[Endpoint, ...] = ()
    left: tuple[Endpoint, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.joined or self.left)


class Store:
    """Holds the endpoints; discovery and scraping write, requests read snapshots.

    A snapshot is made when one is asked for, not at each of the thousands of readings a second.
    """

    def __init__(self) -> None:
        self._endpoints: dict[str, Endpoint] = {}
        self._generation = 0
        self._snapshot: Snapshot | None = Snapshot()

    def __repr__(self) -> str:
        known = sum(e.load is not None for e in self._endpoints.values())
        return f"<Store {len(self._endpoints)} endpoints, load of {known} known>"

    def snapshot(self) -> Snapshot:
        """Return the pool as it is now."""
        if self._snapshot is None:
            self._snapshot = Snapshot(tuple(self._endpoints.values()))
        return self._snapshot

    def get(self, address: str) -> Endpoint | None:
        """Return the endpoint at `address`, if the pool has it."""
        return self._endpoints.get(address)

    def replace(self, endpoints: Iterable[Endpoint]) -> Change:
        """Make these the pool's endpoints; one that stays keeps its load and generation.

        One whose metrics are to be read in another way is another server at the same address: it
        leaves and joins.
        """
        before, after = self._endpoints, dict[str, Endpoint]()
        joined = []
        for endpoint in endpoints:
            if endpoint.address in after:
                continue
            known = before.get(endpoint.address)
            if known is None or not _same_server(known, endpoint):
                self._generation += 1
                fresh = _with(endpoint, self._generation, None)
                joined.append(fresh)
            else:
                fresh = _with(endpoint, known.generation, known.load)
            after[endpoint.address] = fresh
        left = [e for a, e in before.items() if a not in after or not _same_server(e, after[a])]
        self._endpoints, self._snapshot = after, None
        return Change(tuple(joined), tuple(left))

    def report(self, endpoint: Endpoint, load: Load) -> None:
        """Record a reading; one that belongs to an earlier life of the address is dropped."""
        known = self._endpoints.get(endpoint.address)
        if known is None or known.generation != endpoint.generation:
            return
        self._endpoints[endpoint.address] = _with(known, known.generation, load)
        self._snapshot = None


def _same_server(one: Endpoint, other: Endpoint) -> bool:
    return one.metrics_url == other.metrics_url and one.engine == other.engine


def _with(endpoint: Endpoint, generation: int, load: Load | None) -> Endpoint:
    return Endpoint(
        endpoint.address,
        endpoint.name,
        endpoint.metrics_url,
        endpoint.engine,
        endpoint.labels,
        generation,
        load,
        endpoint.rank,
    )
