"""The upstreams of Envoy's configuration: the replicas, the picker, and one that has no picker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from envoy_data_plane.envoy.config.cluster.v3 import (
    CircuitBreakers,
    CircuitBreakersThresholds,
    Cluster,
    ClusterCommonLbConfig,
    ClusterDiscoveryType,
    ClusterDnsLookupFamily,
    ClusterLbPolicy,
    ClusterOriginalDstLbConfig,
)
from envoy_data_plane.envoy.config.core.v3 import (
    Address,
    HealthStatus,
    Http2ProtocolOptions,
    Pipe,
    SocketAddress,
    TransportSocket,
)
from envoy_data_plane.envoy.config.endpoint.v3 import (
    ClusterLoadAssignment,
    Endpoint,
    LbEndpoint,
    LocalityLbEndpoints,
)
from envoy_data_plane.envoy.extensions.transport_sockets.tls.v3 import (
    CertificateValidationContext,
    CommonTlsContext,
    UpstreamTlsContext,
)
from envoy_data_plane.envoy.extensions.upstreams.http.v3 import (
    HttpProtocolOptions,
    HttpProtocolOptionsExplicitHttpConfig,
)
from envoy_data_plane.google.protobuf import Any

DESTINATION = "x-gateway-destination-endpoint"
POOL = "pool"
PICKER = "picker"
PLAIN = "plain"

CONNECT_TIMEOUT = timedelta(seconds=10)
HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def pool_cluster(*, buffer_limit_bytes: int, max_requests: int | None) -> Cluster:
    """The replicas: Envoy connects to whatever the destination header says."""
    return Cluster(
        name=POOL,
        type=ClusterDiscoveryType.ORIGINAL_DST,
        lb_policy=ClusterLbPolicy.CLUSTER_PROVIDED,
        connect_timeout=CONNECT_TIMEOUT,
        per_connection_buffer_limit_bytes=buffer_limit_bytes,
        original_dst_lb_config=ClusterOriginalDstLbConfig(
            use_http_header=True, http_header_name=DESTINATION
        ),
        circuit_breakers=_breakers(max_requests, max_retries=1024),
        ignore_health_on_host_removal=True,
        dns_lookup_family=ClusterDnsLookupFamily.V4_PREFERRED,
        common_lb_config=ClusterCommonLbConfig(),
    )


def picker_cluster(port: int, socket: str = "", *, tls: bool, max_requests: int | None) -> Cluster:
    """The picker on loopback, or behind a Unix socket.

    With TLS its certificate is not checked, as AI Gateway has it.
    """
    http2 = HttpProtocolOptions(
        explicit_http_config=HttpProtocolOptionsExplicitHttpConfig(
            http2_protocol_options=Http2ProtocolOptions()
        )
    )
    return Cluster(
        name=PICKER,
        type=ClusterDiscoveryType.STATIC if socket else ClusterDiscoveryType.STRICT_DNS,
        lb_policy=ClusterLbPolicy.LEAST_REQUEST,
        connect_timeout=CONNECT_TIMEOUT,
        transport_socket=_unchecked_tls() if tls else None,
        typed_extension_protocol_options={HTTP_OPTIONS: Any.pack(http2)},
        circuit_breakers=None if max_requests is None else _breakers(max_requests),
        load_assignment=_load_assignment(
            PICKER,
            [Address(pipe=Pipe(path=socket)) if socket else address("127.0.0.1", port)],
            health=HealthStatus.HEALTHY,
        ),
    )


def plain_cluster(ports: Sequence[int]) -> Cluster:
    """Servers on loopback that are reached in turn, without asking the picker."""
    return Cluster(
        name=PLAIN,
        type=ClusterDiscoveryType.STATIC,
        load_assignment=_load_assignment(PLAIN, [address("127.0.0.1", p) for p in ports]),
    )


def address(host: str, port: int) -> Address:
    """A TCP address as Envoy writes it."""
    return Address(socket_address=SocketAddress(address=host, port_value=port))


def _breakers(max_requests: int | None, max_retries: int | None = None) -> CircuitBreakers:
    """Each of Envoy's limits on what goes on at a time; None leaves its default of 1,024."""
    return CircuitBreakers(
        thresholds=[
            CircuitBreakersThresholds(
                max_connections=max_requests,
                max_pending_requests=max_requests,
                max_requests=max_requests,
                max_retries=max_retries,
            )
        ]
    )


def _unchecked_tls() -> TransportSocket:
    context = UpstreamTlsContext(
        common_tls_context=CommonTlsContext(validation_context=CertificateValidationContext())
    )
    return TransportSocket(name="envoy.transport_sockets.tls", typed_config=Any.pack(context))


def _load_assignment(
    cluster: str, addresses: Sequence[Address], health: HealthStatus = HealthStatus.UNKNOWN
) -> ClusterLoadAssignment:
    hosts = [
        LbEndpoint(endpoint=Endpoint(address=address), health_status=health)
        for address in addresses
    ]
    return ClusterLoadAssignment(
        cluster_name=cluster, endpoints=[LocalityLbEndpoints(lb_endpoints=hosts)]
    )
