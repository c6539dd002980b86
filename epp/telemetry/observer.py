"""Where the streams tell what they see."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from epp.exchange.events import Routed
from epp.routing.placement import Placement
from epp.scheduling.decision import Decision
from epp.telemetry.decisions import Decisions
from epp.telemetry.metrics import Metrics
from epp.telemetry.record import Record


class Observer:
    """Passes what a stream sees on to the metrics, the decisions and whoever listens."""

    def __init__(
        self,
        metrics: Metrics,
        decisions: Decisions,
        *,
        on_decision: Sequence[Callable[[Decision, str], None]] = (),
        on_end: Sequence[Callable[[Decision], None]] = (),
    ) -> None:
        self._metrics = metrics
        self._decisions = decisions
        self._on_decision = on_decision
        self._on_end = on_end

    def stream_opened(self) -> None:
        """Count a stream."""
        self._metrics.stream_opened()

    def stream_closed(self) -> None:
        """Count it out."""
        self._metrics.stream_closed()

    def placed(self, placement: Placement, seconds: float) -> None:
        """Take note of what the router made of a request, and how long it took."""
        decision = placement.decision
        if decision is None:
            if not isinstance(placement.answer, Routed):
                self._metrics.scheduled(seconds, placement.model, None)
            return
        self._metrics.scheduled(seconds, placement.model, decision.winner.address)
        self._metrics.request_started(placement.model)
        self._decisions.add(decision, model=placement.model)
        for listener in self._on_decision:
            listener(decision, placement.model)

    def ended(self, decision: Decision) -> None:
        """Take note that a placed request is over."""
        for listener in self._on_end:
            listener(decision)

    def finished(self, record: Record) -> None:
        """Count a request, once, at its end."""
        self._metrics.finished(record)
