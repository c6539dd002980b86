from __future__ import annotations

from prometheus_client import Metric

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.telemetry.fleet import gauges, inflight

NOW = 50.0


def endpoint(port: int, load: Load | None, name: str = "") -> Endpoint:
    return Endpoint(f"10.0.0.1:{port}", name=name, load=load)


def busy(waiting: int, kv: float, at: float = NOW) -> Load:
    return Load(at=at, waiting=waiting, running=4, kv_cache_usage=kv)


def values(*endpoints: Endpoint) -> dict[tuple[str, ...], float]:
    families: list[Metric] = list(gauges({"pool": endpoints}, NOW, 2.0))
    return {
        (s.name.removeprefix("llm_d_epp_"), *s.labels.values()): s.value
        for family in families
        for s in family.samples
    }


def test_the_pool_is_described_by_average_and_deviation() -> None:
    found = values(endpoint(1, busy(0, 0.2)), endpoint(2, busy(4, 0.6)))
    assert found["ready_endpoints", "pool"] == 2
    assert found["average_queue_size", "pool"] == 2
    assert found["std_dev_queue_size", "pool"] == 2
    assert found["average_kv_cache_utilization", "pool"] == 0.4
    assert found["average_running_requests", "pool"] == 4
    assert found["std_dev_running_requests", "pool"] == 0
    assert found["per_endpoint_queue_size", "pool", "10.0.0.1:2"] == 4


def test_stale_and_unknown_loads_are_left_out_of_the_averages() -> None:
    found = values(
        endpoint(1, busy(4, 0.5)), endpoint(2, busy(90, 1.0, at=NOW - 3)), endpoint(3, None)
    )
    assert found["ready_endpoints", "pool"] == 3
    assert found["average_queue_size", "pool"] == 4
    assert ("per_endpoint_queue_size", "pool", "10.0.0.1:2") not in found


def test_a_pool_without_fresh_loads_has_no_averages_rather_than_zeros() -> None:
    assert values(endpoint(1, None)) == {("ready_endpoints", "pool"): 1}


def test_a_metric_that_a_server_does_not_have_is_left_out() -> None:
    found = values(endpoint(1, Load(at=NOW, running=2)))
    assert found["average_running_requests", "pool"] == 2
    assert ("average_queue_size", "pool") not in found


def test_requests_under_way_are_shown_for_endpoints_of_the_pool() -> None:
    pool = {e.address: e for e in (endpoint(1, None, "a"), endpoint(2, None, "b"))}
    found = inflight(pool, {"10.0.0.1:1": 3, "10.0.0.9:1": 7})
    assert [(tuple(s.labels.values()), s.value) for s in found.samples] == [(("a", "", "1"), 3)]


def test_a_queue_that_is_only_our_own_count_is_no_queue_of_the_server() -> None:
    found = values(endpoint(1, busy(4, 0.2)), endpoint(2, Load(NOW, 9, waiting_is_ours=True)))
    assert found["average_queue_size", "pool"] == 4
    assert ("per_endpoint_queue_size", "pool", "10.0.0.1:2") not in found
