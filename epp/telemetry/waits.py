"""What became of the requests of a pool that lets them wait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily

from epp.routing.admission.shed import Shed
from epp.routing.placement import Placement
from epp.routing.waiting import Waiting
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

_Key = tuple[str, int]  # outcome, priority


class Waits:
    """Counts each request once, when it is known what becomes of it.

    Priorities are those that somebody has configured, so that there are few series.
    """

    def __init__(self) -> None:
        self.durations: dict[_Key, Histogram] = {}
        self.requests: dict[tuple[str, str, int], int] = {}

    def __repr__(self) -> str:
        return f"<Waits {self.requests}>"

    def add(self, placement: Placement) -> None:
        """Count a request that was placed or shed; others were refused before their turn."""
        if placement.decision is not None:
            outcome = DISPATCHED
        elif placement.shed is not None:
            outcome = SHED[placement.shed]
        else:
            return
        self._count(outcome, placement.waited_for, placement.labels.priority, placement.waited_s)

    def gave_up(self, waiting: Waiting, now: float) -> None:
        """Count a request whose stream ended while it waited."""
        self._count(GAVE_UP, "", waiting.labels.priority, now - waiting.since)

    def _count(self, outcome: str, reason: str, priority: int, seconds: float) -> None:
        key = (outcome, reason, priority)
        self.requests[key] = self.requests.get(key, 0) + 1
        durations = self.durations.get((outcome, priority))
        if durations is None:
            durations = self.durations[outcome, priority] = Histogram(DURATION)
        durations.observe(seconds)


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
