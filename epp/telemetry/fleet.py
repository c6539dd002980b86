"""The pools' gauges, computed when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean, pstdev

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.telemetry.attempts import place


def gauges(
    pools: Mapping[str, Sequence[Endpoint]], now: float, max_load_age_s: float
) -> Iterator[Metric]:
    """Describe each pool by those loads that are fresh; without one, there is no average."""
    fresh = {
        pool: [(e, load) for e in endpoints if (load := e.fresh_load(now, max_load_age_s))]
        for pool, endpoints in pools.items()
    }
    sizes: dict[tuple[str, ...], float] = {(pool,): len(e) for pool, e in pools.items()}
    yield _gauge("ready_endpoints", "Endpoints in the pool.", sizes)
    for name, what, metric in _SPREADS:
        yield from _spread(name, what, {p: _known(loads, metric) for p, loads in fresh.items()})
    yield _gauge(
        "per_endpoint_queue_size",
        "Requests that wait at one endpoint.",
        {
            (pool, e.address): load.waiting
            for pool, loads in fresh.items()
            for e, load in loads
            if load.waiting is not None and not load.waiting_is_ours
        },
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


_SPREADS: tuple[tuple[str, str, Callable[[Load], float | None]], ...] = (
    ("kv_cache_utilization", "share of the KV cache in use", lambda load: load.kv_cache_usage),
    ("queue_size", "waiting requests", lambda load: None if load.waiting_is_ours else load.waiting),
    ("running_requests", "running requests", lambda load: load.running),
)


def _known(
    loads: Sequence[tuple[Endpoint, Load]], metric: Callable[[Load], float | None]
) -> list[float]:
    return [value for _, load in loads if (value := metric(load)) is not None]


def _spread(name: str, what: str, values: Mapping[str, Sequence[float]]) -> Iterator[Metric]:
    average: dict[tuple[str, ...], float] = {(p,): fmean(v) for p, v in values.items() if v}
    deviation: dict[tuple[str, ...], float] = {(p,): pstdev(v) for p, v in values.items() if v}
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
