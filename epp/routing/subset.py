"""The proxy's list of endpoints among which to choose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from epp.pool.endpoint import Endpoint

NAMESPACE = "envoy.lb.subset_hint"
KEY = "x-gateway-destination-endpoint-subset"


def parse(items: Iterable[str]) -> frozenset[str]:
    """Return the addresses in `items`, each of which may itself be a list with commas."""
    return frozenset(part.strip() for item in items for part in item.split(",") if part.strip())


def inside(endpoints: Sequence[Endpoint], subset: Iterable[str]) -> Sequence[Endpoint]:
    """Return those that `subset` names by `ip:port`, or by `ip` for every port of it."""
    wanted = parse(subset)
    return [e for e in endpoints if e.address in wanted or not wanted.isdisjoint(_hosts(e.address))]


def _hosts(address: str) -> tuple[str, ...]:
    host = address.rpartition(":")[0]
    return (host, host[1:-1]) if host.startswith("[") else (host,)
