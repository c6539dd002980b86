"""A server that is wanted in the pool, before its name is resolved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from epp.discovery.address import Address
from epp.discovery.host import is_ip, join
from epp.pool.endpoint import Endpoint
from epp.pool.engine_names import AUTO


class MetricsPlace(msgspec.Struct, frozen=True):
    """Where a server's metrics are; an empty host and port 0 stand for the server's own."""

    scheme: str = "http"
    host: str = ""
    port: int = 0
    path: str = "/metrics"


class Target(msgspec.Struct, frozen=True):
    """One port of one server, which may be known by name only."""

    address: Address
    metrics: MetricsPlace
    name: str = ""
    engine: str = AUTO
    labels: Mapping[str, str] = {}
    rank: int = 0

    def names(self) -> set[str]:
        """Return the host names that must be resolved."""
        hosts = {self.address.host, self.metrics.host} - {""}
        return {host for host in hosts if not is_ip(host)}

    def endpoints(self, answers: Mapping[str, tuple[str, ...]]) -> list[Endpoint]:
        """Return one endpoint for each IP address; `answers` are those of the host names."""
        ips = answers.get(self.address.host, ())
        if is_ip(self.address.host):
            ips = (self.address.host,)
        return [self._endpoint(ip, self._label(ip, len(ips)), answers) for ip in ips]

    def _endpoint(self, ip: str, name: str, answers: Mapping[str, tuple[str, ...]]) -> Endpoint:
        metrics = self.metrics
        # A name without an answer stays in the URL: the log of the scraper is then easy to read.
        host = next(iter(answers.get(metrics.host, ())), metrics.host) or ip
        place = join(host, metrics.port or self.address.port)
        return Endpoint(
            address=join(ip, self.address.port),
            name=name,
            metrics_url=f"{metrics.scheme}://{place}{metrics.path}",
            engine=self.engine,
            labels=self.labels,
            rank=self.rank,
        )

    def _label(self, ip: str, count: int) -> str:
        name = self.name
        if not name and not is_ip(self.address.host):
            name = join(self.address.host, self.address.port)
        return f"{name} ({ip})" if name and count > 1 else name


def from_addresses(addresses: Iterable[Address], engine: str = AUTO) -> tuple[Target, ...]:
    """Return what `--endpoint` asks for: metrics on the same port and scheme."""
    return tuple(
        Target(address, MetricsPlace(scheme=address.scheme), engine=engine) for address in addresses
    )
