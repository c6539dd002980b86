"""What became of the requests of a pool that lets them wait."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily

from epp.routing.admission.shed import Shed
from epp.routing.placement import Placement
from epp.routing.waiting import Waiting
from epp.scheduling.decision import Decision
from epp.telemetry.histogram import Histogram, Shape

LABELS = ("outcome", "priority", "inference_pool")

# llm-d's names; it has none for a request that is refused because it is late, and does not tell the
# client's own deadline from its TTL.
DISPATCHED = "Dispatched"
GAVE_UP = "EvictedContextCancelled"
SHED = {
    Shed.FULL: "RejectedCapacity",
    Shed.LATE: "EvictedLate",
    Shed.EXPIRED: "EvictedTTL",
    Shed.DEADLINE: "EvictedDeadline",
}

DURATION = Shape(
    "llm_d_epp_flow_control_request_queue_duration_seconds",
    "How long requests waited for an endpoint, by what became of them.",
    (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0),
)


class Waits:
    """Counts each request once, when it is known what becomes of it.

    Priorities are those that somebody has configured, so that there are few series.
    """

    def __init__(self) -> None:
        # By outcome, what was waited for, and priority; what is shown is made of it when asked.
        self._series: dict[tuple[str, str, int], Histogram] = defaultdict(_durations)

    def __repr__(self) -> str:
        return f"<Waits {self.requests}>"

    @property
    def requests(self) -> dict[tuple[str, str, int], int]:
        """How many there were, by outcome, what they had waited for, and priority."""
        return {key: sum(histogram.counts) for key, histogram in self._series.items()}

    @property
    def durations(self) -> dict[tuple[str, int], Histogram]:
        """How long they waited, by outcome and priority."""
        found: dict[tuple[str, int], Histogram] = defaultdict(_durations)
        for (outcome, _, priority), histogram in self._series.items():
            found[outcome, priority].include(histogram)
        return found

    def add(self, placement: Placement, decision: Decision | None) -> None:
        """Count a request that was placed or shed; others were refused before their turn."""
        if decision is not None:
            outcome = DISPATCHED
        elif placement.shed is not None:
            outcome = SHED[placement.shed]
        else:
            return
        key = (outcome, placement.waited_for, placement.labels.priority)
        self._series[key].observe(placement.waited_s)

    def gave_up(self, waiting: Waiting, now: float) -> None:
        """Count a request whose stream ended while it waited."""
        self._series[GAVE_UP, "", waiting.labels.priority].observe(now - waiting.since)


def _durations() -> Histogram:
    return Histogram(DURATION)


def families(pools: Mapping[str, Waits]) -> Iterator[Metric]:
    """Render those of all pools, by their names."""
    yield DURATION.family(
        LABELS,
        (
            ((outcome, str(priority), pool), histogram)
            for pool, waits in pools.items()
            for (outcome, priority), histogram in waits.durations.items()
        ),
    )
    requests = CounterMetricFamily(
        "llm_d_epp_flow_control_requests",
        "Requests by what became of them, and by what they had waited for.",
        labels=("outcome", "reason", "priority", "inference_pool"),
    )
    for pool, waits in pools.items():
        for (outcome, reason, priority), count in waits.requests.items():
            requests.add_metric((outcome, reason, str(priority), pool), count)
    yield requests
