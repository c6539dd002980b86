"""The picker's Prometheus metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec
from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

import epp
from epp.pool.snapshot import Snapshot
from epp.telemetry import fleet, requests
from epp.telemetry.attempts import Attempts
from epp.telemetry.endpoints import EndpointWork
from epp.telemetry.gen_ai import GenAi
from epp.telemetry.histogram import Histogram, Shape
from epp.telemetry.names import OTHER, Names
from epp.telemetry.record import Record
from epp.telemetry.requests import Requests, Values

DEFAULT_FLOW = "default-flow"

# So many requests are counted at a time: that takes each half as long, for what counts them is in
# the caches of the CPU then.
_TOGETHER = 16

_SCHEDULING = Shape(
    "llm_d_epp_scheduler_e2e_duration_seconds",
    "Time to choose an endpoint.",
    (1e-5, 2.5e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1),
)


def _nothing() -> Mapping[str, int]:
    return {}


class WatchedPool(msgspec.Struct, frozen=True):
    """Where a pool's figures are to be had when a page is asked for."""

    snapshot: Callable[[], Snapshot]
    inflight: Callable[[], Mapping[str, int]]
    poll_errors: Callable[[], Mapping[str, int]]


class Metrics:
    """Counts what the shell tells it and reads the pool when a page is asked for.

    Belongs to the event loop's thread. A request has series of its own only under names that are
    known, or that the pool has answered to; see `Names`.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        commit: str = "",
        known_models: Iterable[str] = (),
        known_fairness_ids: Iterable[str] = (),
        max_load_age_s: float = 2.0,
        max_series: int = 1000,
    ) -> None:
        self.registry = CollectorRegistry(support_collectors_without_names=True)
        self._pools: dict[str, WatchedPool] = {}
        self._clock = clock
        self._commit = commit
        self._max_load_age_s = max_load_age_s
        self._max_series = max_series
        self._models = Names(["", *known_models])
        self._flows = Names(["", DEFAULT_FLOW, *known_fairness_ids], quota=50)
        self._requests: dict[tuple[str, str, str, int], Requests] = {}
        self._ended: list[Record] = []  # that are still to be counted
        self._running: dict[str, int] = {}  # by model as the client wrote it
        self._streams = 0
        self._mismatches: Counter[str] = Counter()  # by pool
        self._scheduling = Histogram(_SCHEDULING)
        self._attempts = Attempts()
        self._gen_ai = GenAi(self._models)
        self._work = EndpointWork()
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    def __repr__(self) -> str:
        return f"<Metrics {len(self._requests)} series of requests, {self._streams} streams>"

    def watch(
        self,
        name: str,
        snapshot: Callable[[], Snapshot],
        inflight: Callable[[], Mapping[str, int]] = _nothing,
        poll_errors: Callable[[], Mapping[str, int]] = _nothing,
    ) -> None:
        """Describe a pool from now on: requests under way by address, failed polls by kind."""
        self._pools[name] = WatchedPool(snapshot, inflight, poll_errors)

    def unwatch(self, name: str) -> None:
        """Describe a pool no longer."""
        self._pools.pop(name, None)

    def mode_mismatch(self, pool: str) -> None:
        """Count a stream that is in another body mode than its pool's annotation asks for."""
        self._mismatches[pool] += 1

    def know_models(self, models: Iterable[str]) -> None:
        """Give these models series of their own, whatever else is asked for."""
        self._models.know(models)

    def stream_opened(self) -> None:
        """Count an ext_proc stream in."""
        self._streams += 1

    def stream_closed(self) -> None:
        """Count an ext_proc stream out."""
        self._streams -= 1

    def scheduled(self, seconds: float, model: str, endpoint: str | None) -> None:
        """Count one run of the scheduler; `endpoint` is its choice's address, None if none."""
        self._scheduling.observe(seconds)
        self._attempts.add(self._models.label(model), endpoint)

    def request_started(self, model: str) -> None:
        """Count a routed request in; `finished` counts it out, by `routed_at`."""
        self._running[model] = self._running.get(model, 0) + 1

    def finished(self, record: Record) -> None:
        """Count a request that ended, well or not. Names that are new are known at once."""
        if record.routed_at is not None:
            self._count_out(record.model)
        self._ended.append(record)
        key = (record.model, record.target_model, record.fairness_id, record.priority)
        if len(self._ended) >= _TOGETHER or key not in self._requests:
            self._count_ended()

    def _count_ended(self) -> None:
        ended, self._ended = self._ended, []
        for record in ended:
            key = (record.model, record.target_model, record.fairness_id, record.priority)
            series = self._requests.get(key)
            if series is None:
                series = self._series_of(record)
            series.add(record)
            self._gen_ai.add(record)
            self._work.add(record)

    def collect(self) -> Iterator[Metric]:
        """Render everything: the protocol of a prometheus_client collector."""
        self._count_ended()
        pools = {name: pool.snapshot().endpoints for name, pool in self._pools.items()}
        by_address = {e.address: e for endpoints in pools.values() for e in endpoints}
        yield self._info()
        yield from requests.families(self._table())
        yield self._running_requests()
        yield _SCHEDULING.family((), [((), self._scheduling)])
        yield self._attempts.family(by_address)
        yield from self._gen_ai.families(by_address)
        yield from self._work.families(by_address)
        yield GaugeMetricFamily(
            "llm_d_epp_extproc_streams_inflight", "Open ext_proc streams.", self._streams
        )
        yield from fleet.gauges(pools, self._clock(), self._max_load_age_s)
        yield fleet.inflight(by_address, self._sum(lambda pool: pool.inflight()))
        yield self._failed_polls()
        yield self._mode_mismatches()

    def _series_of(self, record: Record) -> Requests:
        # A name is worth a series once a server has answered to it: who asks for models that
        # nobody serves fills no table. Their key is looked up each time, never remembered.
        model = self._models.label(record.model, admit=record.succeeded)
        target = self._models.label(record.target_model, admit=record.succeeded)
        flow = self._flows.label(record.fairness_id, admit=record.succeeded)
        key = (model, target, flow, record.priority)
        if key not in self._requests and len(self._requests) >= self._max_series:
            key = (model, target, OTHER, record.priority)
        series = self._requests.get(key)
        if series is None:
            series = self._requests[key] = Requests()
        return series

    def _count_out(self, model: str) -> None:
        left = self._running.pop(model, 0) - 1
        if left > 0:
            self._running[model] = left

    def _table(self) -> dict[Values, Requests]:
        return {
            (model, target, flow, str(priority)): series
            for (model, target, flow, priority), series in self._requests.items()
        }

    def _running_requests(self) -> Metric:
        running: dict[str, int] = {}
        for model, count in self._running.items():
            label = self._models.label(model)
            running[label] = running.get(label, 0) + count
        family = GaugeMetricFamily(
            "llm_d_epp_request_running", "Routed requests under way.", labels=("model_name",)
        )
        for label, count in running.items():
            family.add_metric((label,), count)
        return family

    def _failed_polls(self) -> Metric:
        family = CounterMetricFamily(
            "llm_d_epp_datalayer_poll_errors",
            "Readings of an endpoint's metrics page that failed.",
            labels=("source_type", "kind"),
        )
        for kind, count in self._sum(lambda pool: pool.poll_errors()).items():
            family.add_metric(("metrics-data-source", kind), count)
        return family

    def _mode_mismatches(self) -> Metric:
        family = CounterMetricFamily(
            "llm_d_epp_body_mode_mismatch",
            "Streams in another body mode than the annotation of their pool asks for.",
            labels=("name",),
        )
        for pool, count in self._mismatches.items():
            family.add_metric((pool,), count)
        return family

    def _sum(self, counts: Callable[[WatchedPool], Mapping[str, int]]) -> Counter[str]:
        return sum((Counter(counts(pool)) for pool in self._pools.values()), Counter[str]())

    def _info(self) -> Metric:
        family = GaugeMetricFamily(
            "llm_d_epp_info", "The picker that runs.", labels=("version", "commit")
        )
        family.add_metric((epp.__version__, self._commit), 1)
        return family
