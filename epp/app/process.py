"""The picker, put together: the only place where objects are built and joined."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

import grpc
from starlette.applications import Starlette

from epp.admin import listen as admin
from epp.admin.pages import Pages
from epp.app.pool import Listener as OnDecision
from epp.app.pool import ServedPool
from epp.config.settings import Settings, SettingsError
from epp.discovery.address import parse_address
from epp.discovery.file import FileSource, load_targets
from epp.discovery.source import Source
from epp.discovery.static import StaticSource
from epp.discovery.target import from_addresses
from epp.scrape.engines import ENGINES
from epp.server.health import Health
from epp.server.listen import Listener, ListenSettings, listen
from epp.server.reflection import add_reflection
from epp.server.servicer import ExternalProcessor
from epp.server.tls import credentials_from, self_signed_credentials
from epp.telemetry.decisions import Decisions
from epp.telemetry.metrics import Metrics

_log = logging.getLogger(__name__)

MESSAGE_OVERHEAD_BYTES = 1024 * 1024  # what gRPC must take beside the body


class App:
    """The process: ports, pages, and the pool behind them.

    Raises, when built or run, SettingsError, ConfigError, DiscoveryError, ServerError or
    AdminError: each says what to do.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        on_decision: Sequence[OnDecision] = (),
    ) -> None:
        self.settings = settings
        self.decisions = Decisions(settings.decisions)
        self.metrics = Metrics(clock=clock, max_load_age_s=settings.metrics_staleness_threshold_s)
        self.pool = ServedPool(
            "default",
            _source(settings),
            settings,
            self.metrics,
            self.decisions,
            clock=clock,
            listeners=on_decision,
        )
        self._host = settings.host or _any_host()
        self._clock = clock
        self._processor = ExternalProcessor(self.pool.converse)
        self.grpc_port = self.grpc_health_port = self.metrics_port = 0

    def __repr__(self) -> str:
        return f"<App {self.pool!r}, {self._processor.inflight} streams>"

    async def run(self, stop: asyncio.Event, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop` is set, then let the open streams finish.

        `ready` is called once, when the ports are open and the pool is known.
        """
        health = await Health.create()
        async with AsyncExitStack() as stack:
            pages = stack.enter_context(admin.bind(self._host, self.settings.metrics_port))
            self.metrics_port = pages.getsockname()[1]
            checks = await listen(
                self._listening(self.settings.grpc_health_port), [health.add_to], None
            )
            stack.push_async_callback(checks.drain, 0)
            self.grpc_health_port = checks.port
            streams = await self._listen()
            stack.push_async_callback(streams.drain, 0)
            self.grpc_port = streams.port
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self.pool.run()),
                    group.create_task(admin.serve(self._pages(), pages)),
                    group.create_task(self._announce(health, ready)),
                ]
                await stop.wait()
                await self._drain(health, streams)
                for task in tasks:
                    task.cancel()

    def _pages(self) -> Starlette:
        return Pages(self.metrics.registry, self.decisions, self._clock).application()

    async def _listen(self) -> Listener:
        settings = self._listening(self.settings.grpc_port)
        services = [self._processor.add_to, add_reflection]
        return await listen(settings, services, _credentials(self.settings))

    def _listening(self, port: int) -> ListenSettings:
        return ListenSettings(
            port,
            self._host,
            self.settings.max_body_bytes + MESSAGE_OVERHEAD_BYTES,
            self.settings.max_concurrent_streams,
        )

    async def _announce(self, health: Health, ready: Callable[[], None]) -> None:
        await self.pool.discovered.wait()
        await health.set_ready(True)
        _log.info(
            "ready",
            extra={
                "endpoints": len(self.pool.store.snapshot()),
                "grpc_port": self.grpc_port,
                "grpc_health_port": self.grpc_health_port,
                "metrics_port": self.metrics_port,
                "tls": not self.settings.insecure,
            },
        )
        ready()

    async def _drain(self, health: Health, streams: Listener) -> None:
        _log.info("draining", extra={"streams": self._processor.inflight})
        await health.drain()
        await streams.drain(self.settings.drain_timeout_s)


def _any_host() -> str:
    return "::" if socket.has_dualstack_ipv6() else "0.0.0.0"


def _source(settings: Settings) -> Source:
    if settings.endpoints and settings.endpoints_file:
        raise SettingsError("give either --endpoint or --endpoints-file, not both")
    if settings.endpoints_file:
        load_targets(settings.endpoints_file)  # a broken file at start is a clear end
        return FileSource(settings.endpoints_file)
    if not settings.endpoints:
        raise SettingsError(
            "where are the model servers? Name each with --endpoint http://host:port, "
            "or all of them in a file with --endpoints-file"
        )
    if settings.engine not in ENGINES:
        raise SettingsError(f"--engine is one of {', '.join(ENGINES)}, not {settings.engine!r}")
    addresses = [parse_address(text) for text in settings.endpoints]
    return StaticSource(from_addresses(addresses, settings.engine))


def _credentials(settings: Settings) -> grpc.ServerCredentials | None:
    if settings.insecure:
        return None
    return credentials_from(settings.cert_path) if settings.cert_path else self_signed_credentials()
