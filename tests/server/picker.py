"""A picker without a transport: a pool, a configuration and streams to talk to."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

from epp.config.build import build
from epp.config.load import load
from epp.pool.endpoint import Endpoint
from epp.pool.load import Load, LoraAdapters
from epp.pool.store import Store
from epp.routing.admission.admission import Admission
from epp.routing.router import Router, RouterSettings
from epp.scheduling.decision import Decision
from epp.server.billing import Billing
from epp.server.conversation import Conversation, ConversationSettings
from epp.telemetry.decisions import Decisions
from epp.telemetry.in_flight import InFlight
from epp.telemetry.metrics import Metrics
from epp.telemetry.observer import Observer
from epp.telemetry.record import Record
from epp.telemetry.waits import Waits

HEADER = "apiVersion: llm-d.ai/v1alpha1\nkind: EndpointPickerConfig\n"
DEFAULT = (
    HEADER
    + """
plugins:
- type: queue-scorer
- type: kv-cache-utilization-scorer
- type: lora-affinity-scorer
schedulingProfiles:
- name: default
  plugins:
  - {pluginRef: queue-scorer, weight: 2}
  - {pluginRef: kv-cache-utilization-scorer, weight: 2}
  - {pluginRef: lora-affinity-scorer, weight: 3}
"""
)


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def pod(
    address: str,
    queue: int = 0,
    kv: float = 0.0,
    *,
    loras: Iterable[str] = (),
    max_loras: int = 2,
    at: float = 100.0,
    labels: Mapping[str, str] | None = None,
    running: int = 0,
) -> Endpoint:
    """Return an endpoint whose metrics were read just now."""
    load = Load(
        at,
        waiting=queue,
        running=running,
        kv_cache_usage=kv,
        loras=LoraAdapters(frozenset(loras), frozenset(), max_loras),
    )
    return Endpoint(address, labels=labels or {}, load=load)


class Records(Observer):
    """An observer that keeps the records."""

    def __init__(
        self,
        metrics: Metrics,
        decisions: Decisions,
        in_flight: InFlight,
        waits: Waits | None = None,
    ) -> None:
        super().__init__(metrics, decisions, in_flight, waits=waits)
        self.records: list[Record] = []

    def finished(self, record: Record, decision: Decision | None) -> None:
        self.records.append(record)
        super().finished(record, decision)


class Picker:
    """Everything behind a stream, without sockets and with a clock that stands still."""

    def __init__(
        self,
        *pods: Endpoint,
        config: str = DEFAULT,
        settings: ConversationSettings | None = None,
    ) -> None:
        self.clock = Clock()
        self.store = Store()
        self.store.replace(pods)
        for endpoint in pods:
            known = self.store.get(endpoint.address)
            if known is not None and endpoint.load is not None:
                self.store.report(known, endpoint.load)
        built = build(load(config, "test.yaml"), seed=1)
        self.scheduler = built.scheduler
        rng = random.Random(7)
        self.admission: Admission | None = None
        if built.gate is not None and built.admission is not None:
            self.admission = Admission(self.scheduler, built.gate, rng, built.admission)
        self.router = Router(
            self.store,
            self.scheduler,
            rng,
            RouterSettings(
                parsers=built.parsers,
                validation=built.validation,
                models=built.models,
                want_usage=built.costs is not None,
            ),
            self.admission,
        )
        self.decisions = Decisions(10)
        self.metrics = Metrics(clock=self.clock)
        self.in_flight = InFlight()
        self.waits = Waits()
        waits = None if self.admission is None else self.waits
        self.observer = Records(self.metrics, self.decisions, self.in_flight, waits)
        billing = Billing(built.costs) if built.costs is not None else None
        self.settings = settings or ConversationSettings(billing=billing)

    @property
    def records(self) -> list[Record]:
        """What was reported, one a finished request."""
        return self.observer.records

    def stream(self) -> Conversation:
        """Open a stream."""
        return Conversation(self.router, self.observer, self.clock, self.settings)
