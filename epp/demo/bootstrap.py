"""Envoy's configuration in front of the picker, as typed messages.

One function builds it from options. The options' defaults are what Envoy AI Gateway programs for a
route with an InferencePool; `laptop` is the same with what an Envoy of one's own should add.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Literal

import msgspec
from envoy_data_plane.envoy.config.accesslog.v3 import AccessLog
from envoy_data_plane.envoy.config.bootstrap.v3 import Admin, Bootstrap, BootstrapStaticResources
from envoy_data_plane.envoy.config.common.mutation_rules.v3 import HeaderMutation
from envoy_data_plane.envoy.config.core.v3 import (
    GrpcService,
    GrpcServiceEnvoyGrpc,
    Http1ProtocolOptions,
    Http2ProtocolOptions,
    HttpProtocolOptions,
    HttpProtocolOptionsHeadersWithUnderscoresAction,
    SubstitutionFormatString,
    TypedExtensionConfig,
)
from envoy_data_plane.envoy.config.listener.v3 import Filter, FilterChain, Listener
from envoy_data_plane.envoy.config.route.v3 import (
    Route,
    RouteAction,
    RouteConfiguration,
    RouteMatch,
    VirtualHost,
)
from envoy_data_plane.envoy.extensions.access_loggers.file.v3 import FileAccessLog
from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
    ExternalProcessor,
    ExtProcPerRoute,
    MetadataOptions,
    MetadataOptionsMetadataNamespaces,
    ProcessingMode,
    ProcessingModeBodySendMode,
    ProcessingModeHeaderSendMode,
)
from envoy_data_plane.envoy.extensions.filters.http.router.v3 import Router
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    HttpConnectionManager,
    HttpConnectionManagerPathWithEscapedSlashesAction,
    HttpConnectionManagerServerHeaderTransformation,
    HttpFilter,
)
from envoy_data_plane.envoy.extensions.http.early_header_mutation.header_mutation import (
    v3 as early_header_mutation,
)
from envoy_data_plane.google.protobuf import Any, Struct

from epp.demo import clusters

FILTER = "envoy.filters.http.ext_proc/picker"
AUTHORITY = "epp.default.svc:9002"
MODEL = "x-ai-eg-model"

BODY_MODES = {
    "duplex": ProcessingModeBodySendMode.FULL_DUPLEX_STREAMED,
    "buffered": ProcessingModeBodySendMode.BUFFERED,
}
ACCESS_LOG = {
    "time": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "path": "%PATH(NQ)%",  # a query may hold a key
    "status": "%RESPONSE_CODE%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "flags": "%RESPONSE_FLAGS%",
    "duration_ms": "%DURATION%",
    "endpoint": "%UPSTREAM_HOST%",
}

Mode = Literal["duplex", "buffered"]


class BootstrapOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What is open in the configuration; the defaults are AI Gateway's."""

    listen_host: str = "127.0.0.1"
    listen_port: int = 10080
    admin_port: int = 9901
    picker_port: int = 9002
    picker_socket: str = ""  # a Unix socket, in the place of the port
    mode: Mode = "duplex"
    allow_mode_override: bool = False
    picker_tls: bool = True
    picker_filters: int = 1  # AI Gateway adds one for each match of a route; 0: all is plain
    buffer_limit_bytes: int = 32768
    request_timeout_s: float = 60.0  # 0: none
    idle_timeout_s: float | None = None  # of a stream in which nothing moves; None: Envoy's, 300
    message_timeout_s: float = 300.0  # of one answer of the picker; duplex has no such timer
    max_requests: int | None = None  # at a time; None: Envoy's 1,024
    received_namespaces: Sequence[str] = ()  # metadata that the picker may set
    forwarded_namespaces: Sequence[str] = ()  # metadata that the picker is shown
    strip_routing: bool = False  # drop the headers by which a gateway speaks to the picker
    accept_trailers: bool = False  # of HTTP/1.1 clients
    shared_port: bool = True  # other processes may listen on the port beside this one
    plain_ports: Sequence[int] = ()  # servers for the path /plain, without the picker, in turn
    access_log: str | None = None


def laptop(
    *, listen_host: str, listen_port: int, admin_port: int, picker_port: int, mode: Mode
) -> BootstrapOptions:
    """Options for an Envoy beside a picker of the same machine.

    A generation takes as long as it takes, so that only silence ends it; nobody before this Envoy
    has dropped a client's own destination; its limits are not those of a shared gateway.
    """
    return BootstrapOptions(
        listen_host=listen_host,
        listen_port=listen_port,
        admin_port=admin_port,
        picker_port=picker_port,
        mode=mode,
        allow_mode_override=True,
        picker_tls=False,
        buffer_limit_bytes=50 << 20,
        request_timeout_s=0,
        idle_timeout_s=900,
        max_requests=40_000,
        received_namespaces=("envoy.lb",),
        forwarded_namespaces=("envoy.lb.subset_hint",),
        strip_routing=True,
        shared_port=False,
    )


def render(options: BootstrapOptions) -> bytes:
    """The configuration as JSON, for `envoy --config-path`."""
    return bootstrap(options).to_json(indent=2).encode()


def bootstrap(options: BootstrapOptions) -> Bootstrap:
    """The configuration as a message."""
    upstreams = [
        clusters.pool_cluster(
            buffer_limit_bytes=options.buffer_limit_bytes, max_requests=options.max_requests
        ),
        clusters.picker_cluster(
            options.picker_port,
            options.picker_socket,
            tls=options.picker_tls,
            max_requests=options.max_requests,
        ),
    ]
    if options.plain_ports:
        upstreams.append(clusters.plain_cluster(options.plain_ports))
    return Bootstrap(
        admin=Admin(address=clusters.address("127.0.0.1", options.admin_port)),
        static_resources=BootstrapStaticResources(
            listeners=[_listener(options)], clusters=upstreams
        ),
    )


def _listener(options: BootstrapOptions) -> Listener:
    manager = Filter(
        name="envoy.filters.network.http_connection_manager",
        typed_config=Any.pack(_connection_manager(options)),
    )
    return Listener(
        name="http",
        address=clusters.address(options.listen_host, options.listen_port),
        per_connection_buffer_limit_bytes=options.buffer_limit_bytes,
        enable_reuse_port=None if options.shared_port else False,
        filter_chains=[FilterChain(filters=[manager])],
    )


def _connection_manager(options: BootstrapOptions) -> HttpConnectionManager:
    underscores = HttpProtocolOptionsHeadersWithUnderscoresAction
    slashes = HttpConnectionManagerPathWithEscapedSlashesAction
    server = HttpConnectionManagerServerHeaderTransformation
    trailers = Http1ProtocolOptions(enable_trailers=True)
    return HttpConnectionManager(
        stat_prefix="http",
        use_remote_address=True,
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action=slashes.UNESCAPE_AND_REDIRECT,
        server_header_transformation=server.PASS_THROUGH,
        common_http_protocol_options=HttpProtocolOptions(
            headers_with_underscores_action=underscores.REJECT_REQUEST
        ),
        http_protocol_options=trailers if options.accept_trailers else None,
        http2_protocol_options=Http2ProtocolOptions(
            max_concurrent_streams=100,
            initial_stream_window_size=65536,
            initial_connection_window_size=1048576,
        ),
        early_header_mutation_extensions=list(_early_mutations(options)),
        http_filters=list(_http_filters(options)),
        route_config=_routes(options),
        access_log=list(_access_logs(options)),
    )


def _early_mutations(options: BootstrapOptions) -> Iterator[TypedExtensionConfig]:
    """Before every filter: a route would remove it after them, and with it the pick."""
    if options.strip_routing:
        removals = [HeaderMutation(remove=name) for name in (clusters.DESTINATION, MODEL)]
        yield TypedExtensionConfig(
            name="envoy.http.early_header_mutation.header_mutation",
            typed_config=Any.pack(early_header_mutation.HeaderMutation(mutations=removals)),
        )


def _http_filters(options: BootstrapOptions) -> Iterator[HttpFilter]:
    for _ in range(options.picker_filters):
        yield HttpFilter(name=FILTER, typed_config=Any.pack(_picker_filter(options)))
    router = Router(suppress_envoy_headers=True)
    yield HttpFilter(name="envoy.filters.http.router", typed_config=Any.pack(router))


def _picker_filter(options: BootstrapOptions) -> ExternalProcessor:
    send = ProcessingModeHeaderSendMode.SEND
    body = BODY_MODES[options.mode]
    service = GrpcServiceEnvoyGrpc(cluster_name=clusters.PICKER, authority=AUTHORITY)
    return ExternalProcessor(
        grpc_service=GrpcService(envoy_grpc=service),
        processing_mode=ProcessingMode(
            request_header_mode=send,
            request_body_mode=body,
            request_trailer_mode=send,
            response_header_mode=send,
            response_body_mode=body,
            response_trailer_mode=send,
        ),
        allow_mode_override=options.allow_mode_override,
        message_timeout=timedelta(seconds=options.message_timeout_s),
        failure_mode_allow=False,
        metadata_options=_metadata_options(options),
    )


def _metadata_options(options: BootstrapOptions) -> MetadataOptions | None:
    """Metadata in a namespace that is not named here is dropped without a word."""
    if not (options.received_namespaces or options.forwarded_namespaces):
        return None
    received = MetadataOptionsMetadataNamespaces(untyped=list(options.received_namespaces))
    forwarded = MetadataOptionsMetadataNamespaces(untyped=list(options.forwarded_namespaces))
    return MetadataOptions(receiving_namespaces=received, forwarding_namespaces=forwarded)


def _routes(options: BootstrapOptions) -> RouteConfiguration:
    idle_s = options.idle_timeout_s
    pool = Route(
        name="pool",
        match=RouteMatch(prefix="/"),
        route=RouteAction(
            cluster=clusters.POOL if options.picker_filters else clusters.PLAIN,
            auto_host_rewrite=False,
            timeout=timedelta(seconds=options.request_timeout_s),
            idle_timeout=None if idle_s is None else timedelta(seconds=idle_s),
        ),
    )
    routes = [_plain_route(), pool] if options.plain_ports else [pool]
    return RouteConfiguration(
        name="http",
        ignore_port_in_host_matching=True,
        virtual_hosts=[VirtualHost(name="http/*", domains=["*"], routes=routes)],
    )


def _plain_route() -> Route:
    return Route(
        name="plain",
        match=RouteMatch(path_separated_prefix="/plain"),
        route=RouteAction(cluster=clusters.PLAIN),
        typed_per_filter_config={FILTER: Any.pack(ExtProcPerRoute(disabled=True))},
    )


def _access_logs(options: BootstrapOptions) -> Iterator[AccessLog]:
    if options.access_log is not None:
        log = FileAccessLog(
            path=options.access_log,
            log_format=SubstitutionFormatString(json_format=Struct.from_dict(ACCESS_LOG)),
        )
        yield AccessLog(name="envoy.access_loggers.file", typed_config=Any.pack(log))
