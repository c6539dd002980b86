"""Where the streams tell what they see."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from epp.exchange.events import Refused
from epp.pool.endpoint import Endpoint
from epp.routing.placement import Placement
from epp.routing.waiting import Waiting
from epp.scheduling.decision import Decision
from epp.scheduling.gate.targets import stated_ms
from epp.telemetry.decisions import Decisions
from epp.telemetry.in_flight import InFlight
from epp.telemetry.metrics import Metrics
from epp.telemetry.record import Record
from epp.telemetry.waits import Waits

# No endpoint could take the request. Others that are refused were never scheduled.
_UNPLACED = frozenset({429, 503})
_NO_TARGETS: dict[str, float] = {}


class Observer:
    """Passes what a stream sees on to the metrics, the decisions and whoever listens."""

    def __init__(
        self,
        metrics: Metrics,
        decisions: Decisions,
        in_flight: InFlight,
        listeners: Sequence[Callable[[Decision, str], None]] = (),
        waits: Waits | None = None,  # None: nobody waits
        *,
        freed: Callable[[Endpoint], None] = lambda _: None,
    ) -> None:
        self._freed = freed
        self._waits = waits
        self._metrics = metrics
        self._decisions = decisions
        self._in_flight = in_flight
        self._listeners = listeners
        self.stream_opened = metrics.stream_opened
        self.stream_closed = metrics.stream_closed

    def placed(self, placement: Placement, seconds: float) -> None:
        """Take note of what the router made of a request, and how long it took."""
        decision, model = placement.decision, placement.labels.target_model
        if self._waits is not None:
            self._waits.add(placement, decision)
        if decision is None:
            answer = placement.answer
            if isinstance(answer, Refused) and answer.status in _UNPLACED:
                self._metrics.scheduled(seconds, model, None)
            return
        # First what `finished` counts out: whatever else fails here, the books must balance.
        self._in_flight.begin(decision)
        self._metrics.request_started(placement.labels.model)
        self._metrics.scheduled(seconds, model, decision.winner.address)
        targets = _NO_TARGETS if placement.targets is None else stated_ms(placement.targets)
        self._decisions.add(decision, model=placement.labels.model, target_model=model, **targets)
        for listener in self._listeners:
            listener(decision, model)

    def gave_up(self, waiting: Waiting, now: float) -> None:
        """Count a request whose client did not wait for an endpoint any longer."""
        if self._waits is not None:
            self._waits.gave_up(waiting, now)

    def finished(self, record: Record, decision: Decision | None) -> None:
        """Count a request, once, at its end; `decision` says where it was placed, if it was."""
        if decision is not None:
            self._in_flight.end(decision)
            self._freed(decision.winner)
        self._metrics.finished(record)
