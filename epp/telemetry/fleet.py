"""The pool's gauges, computed when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, pstdev

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.telemetry.attempts import place


def gauges(
    pool: str, endpoints: Sequence[Endpoint], now: float, max_load_age_s: float
) -> Iterator[Metric]:
    """Describe the pool by those loads that are fresh; without one, there is no average."""
    fresh = [(e, load) for e in endpoints if (load := e.fresh_load(now, max_load_age_s))]
    loads = [load for _, load in fresh]
    yield _gauge("ready_endpoints", "Endpoints in the pool.", {(pool,): len(endpoints)})
    yield from _spread(pool, "kv_cache_utilization", "share of the KV cache in use", _kv(loads))
    yield from _spread(pool, "queue_size", "waiting requests", _waiting(loads))
    yield from _spread(pool, "running_requests", "running requests", _running(loads))
    yield _gauge(
        "per_endpoint_queue_size",
        "Requests that wait at one endpoint.",
        {(pool, e.address): load.waiting for e, load in fresh if load.waiting is not None},
        ("name", "model_server_endpoint"),
    )


def inflight(pool: Mapping[str, Endpoint], counts: Mapping[str, int]) -> Metric:
    """Describe the requests that this picker has under way, by the endpoints' addresses."""
    sums = Counter[tuple[str, ...]]()  # two addresses may share one name
    for address, count in counts.items():
        if address in pool:
            sums[place(pool[address])] += count
    return _gauge(
        "inflight_requests",
        "Requests that this picker sent to one endpoint and that have not ended.",
        sums,
        ("endpoint_name", "namespace", "port"),
    )


def _kv(loads: Sequence[Load]) -> list[float]:
    return [load.kv_cache_usage for load in loads if load.kv_cache_usage is not None]


def _waiting(loads: Sequence[Load]) -> list[float]:
    return [load.waiting for load in loads if load.waiting is not None]


def _running(loads: Sequence[Load]) -> list[float]:
    return [load.running for load in loads if load.running is not None]


def _spread(pool: str, name: str, what: str, values: Sequence[float]) -> Iterator[Metric]:
    key: tuple[str, ...] = (pool,)
    average = {key: fmean(values)} if values else {}
    deviation = {key: pstdev(values)} if values else {}
    yield _gauge(f"average_{name}", f"Average over the pool: {what}.", average)
    yield _gauge(f"std_dev_{name}", f"Standard deviation over the pool: {what}.", deviation)


def _gauge(
    name: str,
    text: str,
    values: Mapping[tuple[str, ...], float],
    labels: tuple[str, ...] = ("name",),
) -> Metric:
    family = GaugeMetricFamily(f"llm_d_epp_{name}", text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family
