"""`epp serve`: the picker alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import typer

from epp.app.process import App
from epp.cli.options import (
    PORT,
    ConfigFile,
    Endpoints,
    EndpointsFile,
    Engine,
    LogFormat,
    LogLevel,
    Preset,
    TransportOption,
    configure_logs,
)
from epp.cli.running import run_until_signal
from epp.config.settings import Settings, SettingsError
from epp.exchange.modes import BodyMode
from epp.telemetry.level import NAMES, Level, read_level

_BODY_MODES = {"duplex": BodyMode.FULL_DUPLEX_STREAMED, "buffered": BodyMode.BUFFERED}


Pool = Annotated[
    list[str] | None,
    typer.Option(
        envvar="EPP_POOL",
        metavar="NAMESPACE/NAME",
        help="An InferencePool of the cluster, in the place of endpoints. Can be repeated; "
        "then each pool has the port of its own endpointPickerRef.",
    ),
]
AllPools = Annotated[
    bool,
    typer.Option(
        "--all-pools", envvar="EPP_ALL_POOLS", help="Every InferencePool, by their own ports."
    ),
]
Namespace = Annotated[
    str,
    typer.Option(
        envvar="EPP_NAMESPACE",
        help="Of a --pool written without one, and of --all-pools (all namespaces if empty).",
    ),
]
DefaultPool = Annotated[
    str,
    typer.Option(
        envvar="EPP_DEFAULT_POOL",
        metavar="NAMESPACE/NAME",
        help="Of several pools, the one whose requests come in on --grpc-port.",
    ),
]
PodNetwork = Annotated[
    list[str] | None,
    typer.Option(
        envvar="EPP_POD_NETWORK",
        metavar="CIDR",
        help="Requests go only to pods with an address in it. Can be repeated; without it: all "
        "but loopback, link-local and the like.",
    ),
]
HostNetworkPods = Annotated[
    bool,
    typer.Option(
        "--host-network-pods",
        envvar="EPP_HOST_NETWORK_PODS",
        help="Send requests to pods that have their node's address, too.",
    ),
]
Kubeconfig = Annotated[
    Path | None,
    typer.Option(
        envvar="EPP_KUBECONFIG",
        metavar="FILE",
        help="The way to the cluster; without it: $KUBECONFIG, the pod's service account, or "
        "~/.kube/config.",
    ),
]
HaEnableLeaderElection = Annotated[
    bool,
    typer.Option(
        "--ha-enable-leader-election",
        envvar="EPP_HA_ENABLE_LEADER_ELECTION",
        help="Of several pickers of one pool, only the leader is ready.",
    ),
]
GrpcPort = Annotated[
    int, typer.Option(envvar="EPP_GRPC_PORT", help="Envoy's ext_proc calls.", **PORT)
]
GrpcSocket = Annotated[
    Path | None,
    typer.Option(
        envvar="EPP_GRPC_SOCKET",
        metavar="FILE",
        help="A Unix socket for Envoy's ext_proc calls, in the place of --grpc-port.",
    ),
]
GrpcHealthPort = Annotated[
    int,
    typer.Option(envvar="EPP_GRPC_HEALTH_PORT", help="gRPC health checks, plaintext.", **PORT),
]
MetricsPort = Annotated[
    int,
    typer.Option(envvar="EPP_METRICS_PORT", help="Prometheus metrics and decisions.", **PORT),
]
Host = Annotated[str, typer.Option(envvar="EPP_HOST", help="Address to listen on; all if empty.")]
Insecure = Annotated[
    bool,
    typer.Option("--insecure", envvar="EPP_INSECURE", help="No TLS on the ext_proc port."),
]
CertPath = Annotated[
    Path | None,
    typer.Option(
        envvar="EPP_CERT_PATH",
        metavar="DIR",
        help="Folder with tls.crt and tls.key, read again when they change. Without it the "
        "certificate is self-signed, which gateways accept.",
    ),
]
DrainTimeout = Annotated[
    float,
    typer.Option(
        envvar="EPP_DRAIN_TIMEOUT",
        metavar="SECONDS",
        min=0,
        help="How long open streams may take to finish after SIGTERM.",
    ),
]
MaxBodyBytes = Annotated[
    int,
    typer.Option(envvar="EPP_MAX_BODY_BYTES", help="A longer request body gets 413.", min=1),
]
Bodies = Annotated[
    Literal["duplex", "buffered"],
    typer.Option(
        envvar="EPP_BODY_MODE",
        help="How an Envoy sends bodies that is too old to say it itself.",
    ),
]
MaxConcurrentStreams = Annotated[
    int,
    typer.Option(
        envvar="EPP_MAX_CONCURRENT_STREAMS",
        min=0,
        help="Streams on one connection, 0: any number. Envoy opens another connection for "
        "more, but of a burst on a new one, those above the limit fail.",
    ),
]
RefreshMetricsInterval = Annotated[
    float,
    typer.Option(
        envvar="EPP_REFRESH_METRICS_INTERVAL",
        metavar="SECONDS",
        min=0.001,
        help="How often a server in use is asked for its metrics.",
    ),
]
IdleMetricsInterval = Annotated[
    float,
    typer.Option(
        envvar="EPP_IDLE_METRICS_INTERVAL",
        metavar="SECONDS",
        min=0.001,
        help="The same for one that has had no request of ours for a while.",
    ),
]
MetricsStalenessThreshold = Annotated[
    float,
    typer.Option(
        envvar="EPP_METRICS_STALENESS_THRESHOLD",
        metavar="SECONDS",
        min=0.001,
        help="Metrics older than this count as unknown.",
    ),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        envvar="EPP_MODEL_SERVER_METRICS_TOKEN_FILE",
        metavar="FILE",
        help="Bearer token for the servers' metrics pages.",
    ),
]
SkipVerify = Annotated[
    bool,
    typer.Option(
        "--model-server-metrics-https-insecure-skip-verify",
        envvar="EPP_MODEL_SERVER_METRICS_HTTPS_INSECURE_SKIP_VERIFY",
        help="Do not check the servers' certificates when reading metrics over https.",
    ),
]
ObserveResponses = Annotated[
    str,
    typer.Option(
        envvar="EPP_OBSERVE_RESPONSES",
        metavar="LEVEL",
        help="What to read of answers: full, sample (one in --observe-sample), headers or none. "
        "With the last two, a buffered pool with mode override costs nothing per chunk.",
    ),
]
ObserveSample = Annotated[
    int,
    typer.Option(
        envvar="EPP_OBSERVE_SAMPLE",
        min=1,
        help="With --observe-responses sample: one answer in how many is read.",
    ),
]
Decisions = Annotated[
    int,
    typer.Option(
        envvar="EPP_DECISIONS",
        min=0,
        help="How many of the last decisions /decisions on the metrics port explains.",
    ),
]


def serve(
    endpoint: Endpoints = None,
    endpoints_file: EndpointsFile = None,
    engine: Engine = "auto",
    pool: Pool = None,
    all_pools: AllPools = False,
    namespace: Namespace = "",
    default_pool: DefaultPool = "",
    pod_network: PodNetwork = None,
    host_network_pods: HostNetworkPods = False,
    kubeconfig: Kubeconfig = None,
    ha_enable_leader_election: HaEnableLeaderElection = False,
    config_file: ConfigFile = None,
    preset: Preset = "",
    transport: TransportOption = "grpcio",
    grpc_port: GrpcPort = 9002,
    grpc_socket: GrpcSocket = None,
    grpc_health_port: GrpcHealthPort = 9003,
    metrics_port: MetricsPort = 9090,
    host: Host = "",
    insecure: Insecure = False,
    cert_path: CertPath = None,
    drain_timeout: DrainTimeout = 30.0,
    max_body_bytes: MaxBodyBytes = 16 * 1024 * 1024,
    body_mode: Bodies = "duplex",
    max_concurrent_streams: MaxConcurrentStreams = 0,
    refresh_metrics_interval: RefreshMetricsInterval = 0.05,
    idle_metrics_interval: IdleMetricsInterval = 1.0,
    metrics_staleness_threshold: MetricsStalenessThreshold = 2.0,
    model_server_metrics_token_file: TokenFile = None,
    model_server_metrics_https_insecure_skip_verify: SkipVerify = False,
    observe_responses: ObserveResponses = "full",
    observe_sample: ObserveSample = 10,
    decisions: Decisions = 100,
    log_level: LogLevel = "info",
    log_format: LogFormat = "auto",
) -> None:
    """Run the picker alone, for an Envoy that calls it over ext_proc."""
    configure_logs(log_level, log_format)
    settings = Settings(
        endpoints=tuple(endpoint or ()),
        endpoints_file=endpoints_file,
        engine=engine,
        pools=tuple(pool or ()),
        all_pools=all_pools,
        namespace=namespace,
        default_pool=default_pool,
        pod_networks=tuple(pod_network or ()),
        host_network_pods=host_network_pods,
        kubeconfig=kubeconfig,
        leader_election=ha_enable_leader_election,
        config_file=config_file,
        preset=preset,
        host=host,
        transport=transport,
        grpc_port=grpc_port,
        grpc_socket=grpc_socket,
        grpc_health_port=grpc_health_port,
        metrics_port=metrics_port,
        insecure=insecure,
        cert_path=cert_path,
        drain_timeout_s=drain_timeout,
        max_body_bytes=max_body_bytes,
        body_mode=_BODY_MODES[body_mode],
        max_concurrent_streams=max_concurrent_streams,
        refresh_metrics_interval_s=refresh_metrics_interval,
        idle_metrics_interval_s=idle_metrics_interval,
        metrics_staleness_threshold_s=metrics_staleness_threshold,
        metrics_token_file=model_server_metrics_token_file,
        metrics_skip_verify=model_server_metrics_https_insecure_skip_verify,
        observe_responses=_level(observe_responses),
        observe_sample=observe_sample,
        decisions=decisions,
    )

    async def picker(stop: asyncio.Event) -> None:
        await App(settings).run(stop)

    run_until_signal(picker)


def _level(name: str) -> Level:
    level = read_level(name)
    if level is None:
        raise SettingsError(f"--observe-responses is one of {', '.join(NAMES)}, not {name!r}")
    return level
