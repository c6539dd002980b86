"""Where the streams tell what they see."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from epp.exchange.events import Refused
from epp.routing.placement import Placement
from epp.scheduling.decision import Decision
from epp.telemetry.decisions import Decisions
from epp.telemetry.in_flight import InFlight
from epp.telemetry.metrics import Metrics
from epp.telemetry.record import Record

# No endpoint could take the request. Others that are refused were never scheduled.
_UNPLACED = frozenset({429, 503})


class Observer:
    """Passes what a stream sees on to the metrics, the decisions and whoever listens."""

    def __init__(
        self,
        metrics: Metrics,
        decisions: Decisions,
        in_flight: InFlight,
        listeners: Sequence[Callable[[Decision, str], None]] = (),
    ) -> None:
        self._metrics = metrics
        self._decisions = decisions
        self._in_flight = in_flight
        self._listeners = listeners

    def stream_opened(self) -> None:
        """Count a stream."""
        self._metrics.stream_opened()

    def stream_closed(self) -> None:
        """Count it out."""
        self._metrics.stream_closed()

    def placed(self, placement: Placement, seconds: float) -> None:
        """Take note of what the router made of a request, and how long it took."""
        decision, model = placement.decision, placement.labels.target_model
        if decision is None:
            answer = placement.answer
            if isinstance(answer, Refused) and answer.status in _UNPLACED:
                self._metrics.scheduled(seconds, model, None)
            return
        # First what `finished` counts out: whatever else fails here, the books must balance.
        self._in_flight.begin(decision)
        self._metrics.request_started(placement.labels.model)
        self._metrics.scheduled(seconds, model, decision.winner.address)
        self._decisions.add(decision, model=placement.labels.model, target_model=model)
        for listener in self._listeners:
            listener(decision, model)

    def finished(self, record: Record, decision: Decision | None) -> None:
        """Count a request, once, at its end; `decision` says where it was placed, if it was."""
        if decision is not None:
            self._in_flight.end(decision)
        self._metrics.finished(record)
