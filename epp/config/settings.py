"""The picker's flags, as one value."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from epp.exchange.modes import BodyMode
from epp.telemetry.level import Level


class SettingsError(Exception):
    """The picker was told too little, or too much."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the picker is told; the command line's flags, with their defaults."""

    endpoints: tuple[str, ...] = ()
    endpoints_file: Path | None = None
    engine: str = "auto"  # of `endpoints`: which metrics they have
    pools: tuple[str, ...] = ()  # InferencePools, as namespace/name
    all_pools: bool = False  # every InferencePool of `namespace`
    namespace: str = ""  # empty: all of them, where `all_pools`; else that of the kubeconfig
    default_pool: str = ""  # whose streams come in on `grpc_port` where there are several pools
    pod_networks: tuple[str, ...] = ()  # the only ones in which pods are model servers
    host_network_pods: bool = False  # take pods that share their node's network for such too
    kubeconfig: Path | None = None
    leader_election: bool = False
    config_file: Path | None = None
    preset: str = ""  # the default one
    host: str = ""  # every address
    transport: Literal["native", "grpcio"] = "grpcio"
    grpc_port: int = 9002
    grpc_socket: Path | None = None  # a Unix socket in the place of `grpc_port`
    grpc_health_port: int = 9003
    metrics_port: int = 9090
    insecure: bool = False
    cert_path: Path | None = None
    drain_timeout_s: float = 30.0
    max_body_bytes: int = 16 * 1024 * 1024
    body_mode: BodyMode = BodyMode.FULL_DUPLEX_STREAMED  # of a proxy that does not say
    max_concurrent_streams: int = 0  # no limit
    refresh_metrics_interval_s: float = 0.05
    idle_metrics_interval_s: float = 1.0
    metrics_staleness_threshold_s: float = 2.0
    metrics_token_file: Path | None = None
    metrics_skip_verify: bool = False
    observe_responses: Level = Level.FULL
    observe_sample: int = 10  # one answer in so many, at the level `sample`
    decisions: int = 100
