"""The picker, put together: the only place where objects are built and joined."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
from starlette.applications import Starlette

from epp.admin import listen as admin
from epp.admin.pages import Pages
from epp.config.build import Built, build
from epp.config.load import default, load_file
from epp.config.settings import Settings, SettingsError
from epp.discovery.address import parse_address
from epp.discovery.file import FileSource, load_targets
from epp.discovery.source import Source
from epp.discovery.static import StaticSource
from epp.discovery.target import from_addresses
from epp.exchange.modes import Modes
from epp.pool.endpoint import Endpoint
from epp.pool.store import Store
from epp.routing.router import Router, RouterSettings
from epp.scheduling.decision import Decision
from epp.scrape.engines import ENGINES
from epp.scrape.pace import Pace
from epp.scrape.poller import Poller
from epp.scrape.tls import tls_context
from epp.server.conversation import Conversation, ConversationSettings
from epp.server.health import Health
from epp.server.listen import Listener, ListenSettings, listen
from epp.server.reflection import add_reflection
from epp.server.servicer import ExternalProcessor
from epp.server.tls import credentials_from, self_signed_credentials
from epp.telemetry.decisions import Decisions
from epp.telemetry.in_flight import InFlight
from epp.telemetry.metrics import Metrics
from epp.telemetry.observer import Observer

_log = logging.getLogger(__name__)

MESSAGE_OVERHEAD_BYTES = 1024 * 1024  # what gRPC must take beside the body


class App:
    """One pool, its scheduler and everything that keeps them informed.

    Raises, when built or run, SettingsError, ConfigError, DiscoveryError, ServerError or
    AdminError: each says what to do.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        on_decision: Sequence[Callable[[Decision, str], None]] = (),
    ) -> None:
        self.settings = settings
        self._host = settings.host or _any_host()
        self.store = Store()
        self.in_flight = InFlight()
        self.decisions = Decisions(settings.decisions)
        self._clock = clock
        self._source = _source(settings)
        self._scheduling = _scheduling(settings)
        self._poller = _poller(settings, self.store, self.in_flight, clock)
        self.metrics = Metrics(
            pool=self.store.snapshot,
            clock=clock,
            max_load_age_s=settings.metrics_staleness_threshold_s,
            inflight=self.in_flight.by_address,
            poll_errors=lambda: dict(self._poller.errors.items()),
        )
        self._observer = Observer(
            self.metrics,
            self.decisions,
            self.in_flight,
            listeners=(self._used, *on_decision),
        )
        self._router = Router(
            self.store,
            self._scheduling.scheduler,
            random.Random(),  # noqa: S311  ties and lots, no secrets
            RouterSettings(
                parsers=self._scheduling.parsers,
                max_load_age_s=settings.metrics_staleness_threshold_s,
            ),
        )
        self._conversing = ConversationSettings(
            max_body_bytes=settings.max_body_bytes,
            modes=Modes(settings.body_mode, settings.body_mode),
            observe=settings.observe_responses,
        )
        self._processor = ExternalProcessor(self._converse)
        self._discovered = asyncio.Event()
        self.grpc_port = self.grpc_health_port = self.metrics_port = 0

    def __repr__(self) -> str:
        return f"<App {self.store!r}, {self._processor.inflight} streams>"

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
                    group.create_task(self._source.run(self._publish)),
                    group.create_task(self._poller.run()),
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
        await self._discovered.wait()
        await health.set_ready(True)
        _log.info(
            "ready",
            extra={
                "endpoints": len(self.store.snapshot()),
                "grpc_port": self.grpc_port,
                "grpc_health_port": self.grpc_health_port,
                "metrics_port": self.metrics_port,
                "tls": not self.settings.insecure,
            },
        )
        for warning in self._scheduling.warnings:
            _log.warning("configuration: %s", warning)
        ready()

    async def _drain(self, health: Health, streams: Listener) -> None:
        _log.info("draining", extra={"streams": self._processor.inflight})
        await health.drain()
        await streams.drain(self.settings.drain_timeout_s)

    def _publish(self, endpoints: Sequence[Endpoint]) -> None:
        change = self.store.replace(endpoints)
        self._poller.follow(change)
        self._scheduling.scheduler.forget(change.left)
        self._discovered.set()
        if change:
            _log.info(
                "pool changed",
                extra={
                    "joined": [e.address for e in change.joined],
                    "left": [e.address for e in change.left],
                    "endpoints": len(self.store.snapshot()),
                },
            )

    def _used(self, decision: Decision, _model: str) -> None:
        self._poller.used(decision.winner)

    def _converse(self) -> Conversation:
        return Conversation(self._router, self._observer, self._clock, self._conversing)


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


def _scheduling(settings: Settings) -> Built:
    config = load_file(settings.config_file) if settings.config_file else default()
    return build(config, seed=secrets.randbits(64))


def _poller(
    settings: Settings, store: Store, in_flight: InFlight, clock: Callable[[], float]
) -> Poller:
    if settings.idle_metrics_interval_s > settings.metrics_staleness_threshold_s / 2:
        raise SettingsError(
            "--idle-metrics-interval must be at most half of --metrics-staleness-threshold: "
            "an idle server would count as unknown between two readings"
        )
    return Poller(
        store,
        rng=random.Random(),  # noqa: S311  jitter
        pace=_pace(settings),
        in_flight=in_flight.of,
        token=_token(settings.metrics_token_file),
        tls=tls_context(insecure_skip_verify=True) if settings.metrics_skip_verify else None,
        clock=clock,
    )


def _pace(settings: Settings) -> Pace:
    try:
        return Pace(
            interval_s=settings.refresh_metrics_interval_s,
            idle_interval_s=settings.idle_metrics_interval_s,
        )
    except ValueError as error:
        raise SettingsError(f"--refresh-metrics-interval: {error}") from error


def _token(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text().strip()
    except OSError as error:
        message = f"--model-server-metrics-token-file {path}: {error.strerror or error}"
        raise SettingsError(message) from error


def _credentials(settings: Settings) -> grpc.ServerCredentials | None:
    if settings.insecure:
        return None
    return credentials_from(settings.cert_path) if settings.cert_path else self_signed_credentials()
