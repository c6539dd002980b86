"""What the picker's eyes on the cluster see, as metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from epp.app.pool import ServedPool
from epp.kube.reflector import Reflector

Reflectors = Callable[[], Mapping[Reflector[Any], str]]


class ClusterMetrics:
    """Watches by resource, and pools by what should be mended; made when a page is asked for."""

    def __init__(
        self,
        reflectors: Reflectors,
        pools: Callable[[], Mapping[str, ServedPool]],
        clock: Callable[[], float],
    ) -> None:
        self._reflectors = reflectors
        self._pools = pools
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """Render: the protocol of a prometheus_client collector."""
        following = list(self._reflectors().items())
        yield self._restarts(following)
        relists = CounterMetricFamily(
            "llm_d_epp_kube_relists", "Whole lists read from the API server.", labels=("resource",)
        )
        for resource, count in _summed((r, f.stats.relists) for f, r in following).items():
            relists.add_metric((resource,), count)
        yield relists
        yield self._ages(following)
        yield self._complaints()

    def _restarts(self, following: list[tuple[Reflector[Any], str]]) -> Metric:
        family = CounterMetricFamily(
            "llm_d_epp_kube_watch_restarts",
            "Watches of the API server that ended and began again.",
            labels=("resource", "reason"),
        )
        counts: Counter[tuple[str, str]] = Counter()
        for reflector, resource in following:
            for reason, count in reflector.stats.restarts.items():
                counts[resource, reason] += count
        for labels, count in counts.items():
            family.add_metric(labels, count)
        return family

    def _ages(self, following: list[tuple[Reflector[Any], str]]) -> Metric:
        now = self._clock()
        family = GaugeMetricFamily(
            "llm_d_epp_kube_last_event_age_seconds",
            "Since the API server last said anything; the oldest of several watches.",
            labels=("resource",),
        )
        ages: dict[str, float] = {}
        for reflector, resource in following:
            if reflector.stats.last_event_at is not None:
                age = now - reflector.stats.last_event_at
                ages[resource] = max(age, ages.get(resource, 0.0))
        for resource, age in ages.items():
            family.add_metric((resource,), age)
        return family

    def _complaints(self) -> Metric:
        family = GaugeMetricFamily(
            "llm_d_epp_pool_complaints",
            "Things about a pool that somebody should mend; the log has each.",
            labels=("name", "kind"),
        )
        for name, pool in self._pools().items():
            for kind, count in Counter(c.kind for c in pool.facts.complaints).items():
                family.add_metric((name, kind), count)
        return family


def _summed(counts: Iterator[tuple[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for resource, count in counts:
        total[resource] += count
    return total
