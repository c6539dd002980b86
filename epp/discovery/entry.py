"""The endpoints file's shape: llm-d's, and what it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

ENGINE_LABELS = ("llm-d.ai/engine-type", "inference.networking.k8s.io/engine-type")


class MetricsEntry(msgspec.Struct, frozen=True, rename="camel"):
    """Where a server's metrics are, where it is not its own port."""

    scheme: Literal["http", "https"] = "http"
    address: str = ""
    port: int | str = ""
    path: str = "/metrics"


class Entry(msgspec.Struct, frozen=True, rename="camel"):
    """One server: a port, or several that each answer for a rank of their own."""

    address: str
    name: str = ""
    namespace: str = "default"
    port: int | str = ""  # llm-d writes it as text
    ports: tuple[int | str, ...] = ()
    metrics_host: str = ""  # llm-d's host:port
    metrics: MetricsEntry | None = None
    labels: Mapping[str, str] = {}
    engine: str = ""


class EndpointsFile(msgspec.Struct, frozen=True):
    """The whole file."""

    endpoints: tuple[Entry, ...]
