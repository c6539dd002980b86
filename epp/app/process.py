"""The picker, put together: the only place where objects are built and joined."""

from __future__ import annotations

import asyncio
import gc
import logging
import secrets
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from epp.admin import listen as admin
from epp.admin.pages import Pages
from epp.app.doors import Doors
from epp.app.engines import engine_names
from epp.app.flow_metrics import FlowMetrics
from epp.app.learned_metrics import LearnedMetrics
from epp.app.pool import Listener as OnDecision
from epp.app.pool import ServedPool
from epp.app.precise_metrics import PreciseMetrics
from epp.app.readiness import Readiness
from epp.app.transports import listen_with
from epp.config.build import build
from epp.config.load import default, load_file, load_preset
from epp.config.model import EndpointPickerConfig
from epp.config.settings import Settings, SettingsError
from epp.discovery.address import parse_address
from epp.discovery.annotations import SettingLimits
from epp.discovery.file import FileSource, load_targets
from epp.discovery.source import Source
from epp.discovery.static import StaticSource
from epp.discovery.target import from_addresses
from epp.server.health import Health
from epp.server.listen import Listener, ListenSettings, Services
from epp.server.processor import ExternalProcessor
from epp.server.tls import CertificateFiles, Certificates, MadeUpCertificate
from epp.telemetry.decisions import Decisions
from epp.telemetry.metrics import Metrics

_log = logging.getLogger(__name__)

MESSAGE_OVERHEAD_BYTES = 1024 * 1024  # what a transport must take beside the body

YOUNGEST = 10_000  # objects, before they are looked through; at 700 that is 3 % of a request


class App:
    """The process: ports, pages, and the pools behind them.

    Raises, when built or run, SettingsError, ConfigError, DiscoveryError, ServerError, AdminError
    or AccessError: each says what to do.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        on_decision: Sequence[OnDecision] = (),
    ) -> None:
        self.settings = settings
        self.pools: dict[str, ServedPool] = {}
        self.decisions = Decisions(settings.decisions)
        self.metrics = Metrics(clock=clock, max_load_age_s=settings.metrics_staleness_threshold_s)
        self.metrics.registry.register(
            PreciseMetrics(lambda: [pool.caches for pool in self.pools.values()])
        )
        self.metrics.registry.register(
            LearnedMetrics(lambda: {name: pool.figures() for name, pool in self.pools.items()})
        )
        self.metrics.registry.register(FlowMetrics(lambda: self.pools, clock))
        self.grpc_port = self.grpc_health_port = self.metrics_port = 0
        self._clock = clock
        self._on_decision = on_decision
        self._host = settings.host or _any_host()
        self._config = _config(settings)
        self._readiness = Readiness()
        self._doors = Doors(self._open_port)
        self._certificates: Certificates | None = None
        self._listen = listen_with(settings.transport)
        if not _in_a_cluster(settings):
            self._make("default", _source(settings, engine_names(self._config.engines)))

    def __repr__(self) -> str:
        return f"<App {list(self.pools.values())}, {self._doors.inflight} streams>"

    @property
    def pool(self) -> ServedPool:
        """The only pool; the first, where there are several."""
        return next(iter(self.pools.values()))

    async def run(self, stop: asyncio.Event, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop` is set, then let the open streams finish.

        `ready` is called once, when the ports are open and the pools are known.
        """
        self._certificates = _certificates(self.settings)
        health = Health()
        async with AsyncExitStack() as stack:
            serving = await self._serving(stack)
            pages = stack.enter_context(admin.bind(self._host, self.settings.metrics_port))
            self.metrics_port = pages.getsockname()[1]
            checks = await self._listen(
                self._listening(self.settings.grpc_health_port), Services(health=health), None
            )
            stack.push_async_callback(checks.drain, 0)
            self.grpc_health_port = checks.port
            stack.push_async_callback(self._doors.drain, 0)
            await self._open_front()
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(serving()),
                    group.create_task(admin.serve(self._pages(), pages)),
                    group.create_task(self._readiness.run(health)),
                    group.create_task(self._announce(ready)),
                ]
                await stop.wait()
                await self._drain(health)
                for task in tasks:
                    task.cancel()

    async def _open_front(self) -> None:
        """Open the port that is there from the beginning: for the only pool, or for all of those
        that streams name. Where they do not, each of several pools has its own.
        """
        if len(self.pools) == 1:
            self.grpc_port = await self._doors.open(self.settings.grpc_port, self.pool)
        elif self.settings.transport == "native":
            self.grpc_port = await self._doors.open(self.settings.grpc_port, None)

    async def _serving(self, stack: AsyncExitStack) -> Callable[[], Coroutine[Any, Any, None]]:
        """Return what keeps the pools up to date."""
        if self.pools:
            return self._serve_one
        from epp.app.cluster import ServedCluster, check  # noqa: PLC0415  } 12 MiB that a
        from epp.app.cluster_metrics import ClusterMetrics  # noqa: PLC0415  } picker without a
        from epp.kube.client import KubeClient  # noqa: PLC0415  } cluster can do without
        from epp.kube.find_access import find_access  # noqa: PLC0415  }

        check(self.settings)
        client = KubeClient(await find_access(self.settings.kubeconfig))
        stack.push_async_callback(client.aclose)
        profiles = [spec.name for spec in self._config.scheduling_profiles]
        cluster = ServedCluster(
            self.settings,
            SettingLimits(
                profiles, self.settings.max_body_bytes, self._config.flow_control is not None
            ),
            client,
            make=self._make,
            forget=self._forget,
            engines=engine_names(self._config.engines),
            doors=self._doors,
            readiness=self._readiness,
        )
        self.metrics.registry.register(
            ClusterMetrics(lambda: cluster.reflectors, lambda: cluster.pools, self._clock)
        )

        async def serve() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(cluster.run())
                if len(self.pools) != 1:
                    group.create_task(self._doors.run())

        return serve

    async def _serve_one(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.pool.run())
            await self.pool.discovered.wait()
            self._readiness.know(True)

    def _make(
        self, name: str, source: Source, published: Callable[[], None] = lambda: None
    ) -> ServedPool:
        pool = self.pools[name] = ServedPool(
            name,
            source,
            build(self._config, seed=secrets.randbits(64)),
            self.settings,
            metrics=self.metrics,
            decisions=self.decisions,
            clock=self._clock,
            published=published,
            listeners=self._on_decision,
        )
        return pool

    def _forget(self, name: str) -> None:
        self.metrics.unwatch(name)
        del self.pools[name]

    def _pages(self) -> Starlette:
        return Pages(self.metrics.registry, self.decisions, self._clock).application()

    async def _open_port(self, port: int, processor: ExternalProcessor) -> Listener:
        settings = self._listening(port, self.settings.grpc_socket)
        services = Services(processor, reflection=True)
        return await self._listen(settings, services, self._certificates)

    def _listening(self, port: int, path: Path | None = None) -> ListenSettings:
        return ListenSettings(
            port,
            self._host,
            self.settings.max_body_bytes + MESSAGE_OVERHEAD_BYTES,
            self.settings.max_concurrent_streams,
            path=path,
        )

    async def _announce(self, ready: Callable[[], None]) -> None:
        await self._readiness.first.wait()
        # What is there now stays: a full collection need not look at it (30 ms, in which nobody is
        # answered).
        gc.collect()
        gc.freeze()
        # Requests leave no cycles behind, so that there is little to be found among the youngest.
        gc.set_threshold(YOUNGEST)
        _log.info(
            "ready",
            extra={
                "pools": list(self.pools),
                "endpoints": sum(len(pool.store.snapshot()) for pool in self.pools.values()),
                "grpc_port": self.grpc_port,
                "grpc_health_port": self.grpc_health_port,
                "metrics_port": self.metrics_port,
                "tls": not self.settings.insecure,
            },
        )
        ready()

    async def _drain(self, health: Health) -> None:
        _log.info("draining", extra={"streams": self._doors.inflight})
        health.drain()
        await self._doors.drain(self.settings.drain_timeout_s)


def _config(settings: Settings) -> EndpointPickerConfig:
    if settings.config_file and settings.preset:
        raise SettingsError("give either --config-file or --preset, not both")
    if settings.config_file:
        return load_file(settings.config_file)
    return load_preset(settings.preset) if settings.preset else default()


def _in_a_cluster(settings: Settings) -> bool:
    static = settings.endpoints or settings.endpoints_file
    asked = settings.pools or settings.all_pools
    if static and asked:
        raise SettingsError("give either endpoints or InferencePools (--pool, --all-pools)")
    return bool(asked)


def _any_host() -> str:
    return "::" if socket.has_dualstack_ipv6() else "0.0.0.0"


def _source(settings: Settings, engines: Sequence[str]) -> Source:
    if settings.endpoints and settings.endpoints_file:
        raise SettingsError("give either --endpoint or --endpoints-file, not both")
    if settings.endpoints_file:
        load_targets(settings.endpoints_file, engines)  # a broken file at start is a clear end
        return FileSource(settings.endpoints_file, engines=engines)
    if not settings.endpoints:
        raise SettingsError(
            "where are the model servers? Name each with --endpoint http://host:port, "
            "all of them in a file with --endpoints-file, or an InferencePool with --pool"
        )
    if settings.engine not in engines:
        raise SettingsError(f"--engine is one of {', '.join(engines)}, not {settings.engine!r}")
    addresses = [parse_address(text) for text in settings.endpoints]
    return StaticSource(from_addresses(addresses, settings.engine))


def _certificates(settings: Settings) -> Certificates | None:
    if settings.insecure:
        return None
    return CertificateFiles(settings.cert_path) if settings.cert_path else MadeUpCertificate()
