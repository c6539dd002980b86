"""Which endpoint is meant by a topic."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from epp.pool.endpoint import Endpoint
from epp.pool.snapshot import Snapshot
from epp.scheduling.kv.topic import Topic


class Directory:
    """The pool by everything that a pod is called in a topic: address, IP address or name."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot
        self._endpoints: tuple[Endpoint, ...] | None = None
        self._named: dict[tuple[str, int], Endpoint] = {}

    def __repr__(self) -> str:
        return f"<Directory of {len(self._snapshot().endpoints)}>"

    def find(self, topic: Topic, rank: int) -> Endpoint | None:
        """Return the endpoint; `rank` tells apart those that share a pod."""
        endpoints = self._snapshot().endpoints
        if endpoints is not self._endpoints:
            self._endpoints = endpoints
            self._named = {key: e for e in endpoints for key in _names(e)}
        pod = topic.pod
        return self._named.get((pod, -1)) or self._named.get((pod, rank))


def host_of(address: str) -> str:
    """Return the IP address in `10.0.0.1:8000` or `[fd00::1]:8000`."""
    return address.rpartition(":")[0].strip("[]")


def _names(endpoint: Endpoint) -> Iterator[tuple[str, int]]:
    """Yield what an endpoint is called; with rank -1, what no other is called."""
    host = host_of(endpoint.address)
    yield endpoint.address, -1
    yield host, endpoint.rank
    yield f"[{host}]", endpoint.rank
    if endpoint.name:
        yield endpoint.name, -1
        pod = endpoint.name.removesuffix(f"-rank-{endpoint.rank}")
        yield pod, endpoint.rank
        yield pod.rpartition("/")[2], endpoint.rank
