"""One pool, served: its endpoints, how it chooses, and what keeps both informed."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import structs

from epp.app.alarm import Alarm
from epp.app.engines import custom_engines
from epp.app.precise import PreciseCaches
from epp.app.rules import ClusterRules
from epp.config.build import Built
from epp.config.settings import Settings, SettingsError
from epp.discovery.annotations import Mismatch, PoolSettings, compare
from epp.discovery.facts import PoolFacts
from epp.discovery.source import Source
from epp.exchange.modes import Modes
from epp.pool.endpoint import Endpoint
from epp.pool.store import Store
from epp.routing.admission.admission import Admission
from epp.routing.router import Router, RouterSettings
from epp.scheduling.decision import Decision
from epp.scheduling.figure import Figure
from epp.scheduling.gate.targets import Targets
from epp.scrape.engines import Engine
from epp.scrape.pace import Pace
from epp.scrape.poller import Poller
from epp.scrape.tls import tls_context
from epp.server.billing import Billing
from epp.server.conversation import Conversation, ConversationSettings
from epp.telemetry.decisions import Decisions
from epp.telemetry.in_flight import InFlight
from epp.telemetry.level import Level, Sampler
from epp.telemetry.metrics import Metrics
from epp.telemetry.observer import Observer
from epp.telemetry.waits import Waits

_log = logging.getLogger(__name__)

Listener = Callable[[Decision, str], None]


class ServedPool:
    """The objects of one pool. Pools share the process's metrics and decisions, and no state."""

    def __init__(
        self,
        name: str,
        source: Source,
        scheduling: Built,
        settings: Settings,
        *,
        metrics: Metrics,
        decisions: Decisions,
        clock: Callable[[], float],
        published: Callable[[], None] = lambda: None,
        listeners: Sequence[Listener] = (),
    ) -> None:
        self.name = name
        self.store = Store()
        self.in_flight = InFlight()
        self.discovered = asyncio.Event()
        self._scheduling = scheduling
        self._sample = settings.observe_sample
        self._overruled = {Level.FULL}  # what was asked for and is not done, and that was said
        self.conversing = ConversationSettings(
            max_body_bytes=settings.max_body_bytes,
            modes=Modes(settings.body_mode, settings.body_mode),
            sampler=self._sampler(settings.observe_responses),
            edits=bool(scheduling.models.models),
            billing=Billing(scheduling.costs) if scheduling.costs is not None else None,
            opened=self._opened,
        )
        self.facts = PoolFacts()
        self._flags = self.conversing
        self._mismatches: set[Mismatch] = set()
        self._source = source
        self._clock = clock
        self._published = published
        self._metrics = metrics
        self._poller = _poller(
            settings, self.store, self.in_flight, clock, custom_engines(scheduling.engines)
        )
        rng = random.Random()  # noqa: S311  ties and lots, no secrets
        self._alarm = Alarm(clock)
        self.admission = _admission(scheduling, rng, self._alarm)
        gate = scheduling.gate
        self._targets = Targets() if gate is None else gate.settings.targets
        self.waits = Waits()
        self._observer = Observer(
            metrics,
            decisions,
            self.in_flight,
            (self._used, *listeners),
            None if self.admission is None else self.waits,
            freed=self._poller.freed,
        )
        self.router = Router(
            self.store,
            self._scheduling.scheduler,
            rng,
            RouterSettings(
                parsers=scheduling.parsers,
                validation=scheduling.validation,
                models=scheduling.models,
                max_load_age_s=settings.metrics_staleness_threshold_s,
                max_body_bytes=settings.max_body_bytes,
                want_usage=scheduling.costs is not None,
            ),
            self.admission,
        )
        self.caches = PreciseCaches(
            scheduling.scheduler.producers,
            self.store.snapshot,
            tls_verify=not settings.metrics_skip_verify,
        )
        self.caches.serve(self.router)
        metrics.know_models(scheduling.models.models)
        metrics.watch(
            name,
            self.store.snapshot,
            self.in_flight.by_address,
            lambda: dict(self._poller.errors.items()),
        )

    def __repr__(self) -> str:
        return f"<ServedPool {self.name} {self.store!r}>"

    async def run(self) -> None:
        """Follow the source and keep the loads fresh, until cancelled."""
        for warning in self._scheduling.warnings:
            _log.warning("configuration: %s", warning)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._source.run(self._publish))
            group.create_task(self._poller.run())
            group.create_task(self.caches.run())

    def figures(self) -> list[Figure]:
        """Return what choosing has learned."""
        return self._scheduling.scheduler.figures()

    def clear(self) -> None:
        """Have no endpoints any more: the pool is gone, though streams may still come."""
        self._publish(())

    def converse(self) -> Conversation:
        """Open a conversation about a request for this pool."""
        return Conversation(self.router, self._observer, self._clock, self.conversing)

    def learn(self, facts: PoolFacts) -> None:
        """Take over what the cluster says of the pool; a setting that it lacks is the flags'."""
        own, flags = facts.settings, self._flags
        self.facts = facts
        self.router.max_body_bytes = own.max_body_bytes or flags.max_body_bytes
        self.conversing = structs.replace(
            flags,
            sampler=flags.sampler
            if own.observe_responses is None
            else self._sampler(own.observe_responses),
            edits=flags.edits or bool(facts.rewrites.models),
            max_body_bytes=own.max_body_bytes or flags.max_body_bytes,
        )
        self._scheduling.scheduler.prefer(own.profile)
        self._scheduling.scheduler.reserve_tokens(own.reserved_tokens)
        self._aim(own)
        self._metrics.know_models(facts.rewrites.models)
        self.router.rules = ClusterRules(facts.objectives, facts.rewrites)

    def _aim(self, own: PoolSettings) -> None:
        gate, configured = self._scheduling.gate, self._targets
        if gate is not None:
            targets = configured.but(own.slo_ttft_ms, own.slo_tpot_ms)
            gate.settings = structs.replace(gate.settings, targets=targets)

    def _sampler(self, level: Level) -> Sampler:
        """Where answers are charged for, each must be read."""
        if self._scheduling.costs is None:
            return Sampler(level, self._sample)
        if level not in self._overruled:
            self._overruled.add(level)
            _log.warning(
                "all answers are read, for they are charged",
                extra={"pool": self.name, "asked_for": level.value},
            )
        return Sampler(Level.FULL, self._sample)

    def _opened(self, modes: Modes) -> None:
        """Compare a stream's body modes with those that the pool's annotations ask for."""
        mismatch = compare(self.facts.modes, modes)
        if mismatch is None:
            return
        self._metrics.mode_mismatch(self.name)
        if mismatch not in self._mismatches:
            self._mismatches.add(mismatch)
            _log.warning("body mode", extra={"pool": self.name, "problem": str(mismatch)})

    def _publish(self, endpoints: Sequence[Endpoint]) -> None:
        change = self.store.replace(endpoints)
        self._poller.follow(change)
        self._scheduling.scheduler.forget(change.left)
        self.caches.follow(change)
        if self.admission is not None:
            self.admission.pool_changed(self._clock())
        self.discovered.set()
        self._published()
        if change:
            _log.info(
                "pool changed",
                extra={
                    "pool": self.name,
                    "joined": [e.address for e in change.joined],
                    "left": [e.address for e in change.left],
                    "endpoints": len(self.store.snapshot()),
                },
            )

    def _used(self, decision: Decision, _model: str) -> None:
        self._poller.used(decision.winner)
        self.caches.decided()


def _admission(scheduling: Built, rng: random.Random, alarm: Alarm) -> Admission | None:
    """Return who lets requests wait, if anybody is to."""
    if scheduling.gate is None or scheduling.admission is None:
        return None
    admission = Admission(
        scheduling.scheduler, scheduling.gate, rng, scheduling.admission, alarm.set
    )
    alarm.ring = admission.advance
    return admission


def _poller(
    settings: Settings,
    store: Store,
    in_flight: InFlight,
    clock: Callable[[], float],
    engines: Mapping[str, Engine],
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
        engines=engines,
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
