"""Who waits and why, as metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from epp.app.pool import ServedPool
from epp.pool.endpoint import Endpoint
from epp.routing.admission.admission import Admission
from epp.scheduling.gate.verdict import Why
from epp.telemetry import waits
from epp.telemetry.attempts import place

_PREFIX = "llm_d_epp_flow_control_"
_POOL = "inference_pool"
_ENDPOINT = ("endpoint_name", "namespace", "port", "endpoint")


class FlowMetrics:
    """Made when a page is asked for; nothing, where no pool lets requests wait."""

    def __init__(
        self, pools: Callable[[], Mapping[str, ServedPool]], clock: Callable[[], float]
    ) -> None:
        self._pools = pools
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """Render: the protocol of a prometheus_client collector."""
        pools = {name: pool for name, pool in self._pools().items() if pool.admission is not None}
        if not pools:
            return
        yield from waits.families({name: pool.waits for name, pool in pools.items()})
        gated = {n: p.admission for n, p in pools.items() if p.admission is not None}
        yield _by_priority("queue_size", "Requests that wait.", gated, _counts)
        yield _by_priority("queue_bytes", "Bytes of their bodies.", gated, _bytes)
        yield _shares(gated)
        endpoints = {name: pool.store.snapshot().endpoints for name, pool in pools.items()}
        states = {
            name: Counter(
                _state(admission, endpoint, self._clock()) for endpoint in endpoints[name]
            )
            for name, admission in gated.items()
        }
        yield _states(states)
        yield _saturation(states)
        by_endpoint = [(gated[name], e) for name, some in endpoints.items() for e in some]
        yield from _steps({endpoint.address: (a, endpoint) for a, endpoint in by_endpoint})


def _state(admission: Admission, endpoint: Endpoint, now: float) -> Why:
    """Return what would keep a request with next to no prompt from an endpoint."""
    gate = admission.gate
    return gate.verdict(endpoint, 0.0, gate.settings.targets, now).why


def _by_priority(
    name: str,
    text: str,
    pools: Mapping[str, Admission],
    read: Callable[[Admission], Mapping[int, int]],
) -> Metric:
    family = GaugeMetricFamily(_PREFIX + name, text, labels=("priority", _POOL))
    for pool, admission in pools.items():
        for priority, value in (read(admission) or {0: 0}).items():
            family.add_metric((str(priority), pool), value)
    return family


def _counts(admission: Admission) -> Mapping[int, int]:
    return admission.room.by_priority()


def _bytes(admission: Admission) -> Mapping[int, int]:
    return admission.room.bytes_by_priority()


def _shares(pools: Mapping[str, Admission]) -> Metric:
    family = GaugeMetricFamily(
        _PREFIX + "step_share",
        "Of the target between tokens, what a decode step may take before an endpoint closes.",
        labels=(_POOL,),
    )
    for pool, admission in pools.items():
        family.add_metric((pool,), admission.gate.share.value)
    return family


def _states(pools: Mapping[str, Counter[Why]]) -> Metric:
    family = GaugeMetricFamily(
        _PREFIX + "endpoints",
        "Endpoints that are open, and those that are closed by what closes them.",
        labels=("state", _POOL),
    )
    for pool, states in pools.items():
        for why in Why:
            family.add_metric((why.value, pool), states[why])
    return family


def _saturation(pools: Mapping[str, Counter[Why]]) -> Metric:
    family = GaugeMetricFamily(
        _PREFIX + "pool_saturation", "Share of the endpoints that are closed.", labels=(_POOL,)
    )
    for pool, states in pools.items():
        total = states.total()
        family.add_metric((pool,), 1.0 - states[Why.NOTHING] / total if total else 1.0)
    return family


def _steps(endpoints: Mapping[str, tuple[Admission, Endpoint]]) -> Iterator[Metric]:
    predicted = GaugeMetricFamily(
        _PREFIX + "step_seconds",
        "What a decode step is expected to take there now.",
        labels=_ENDPOINT,
    )
    measured = GaugeMetricFamily(
        _PREFIX + "step_pace",
        "Measured time between tokens over that of the coefficients; 1 within its noise.",
        labels=_ENDPOINT,
    )
    for address, (admission, endpoint) in endpoints.items():
        labels = (*place(endpoint), address)
        predicted.add_metric(labels, admission.gate.step_s(endpoint))
        pace = admission.gate.paces.of(address)
        if pace is not None:
            measured.add_metric(labels, pace)
    yield predicted
    yield measured
