from __future__ import annotations

from collections.abc import Mapping

import epp
from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.pool.snapshot import Snapshot
from epp.telemetry.metrics import Metrics
from epp.telemetry.record import Record

ENDPOINT = Endpoint("10.0.0.1:8000", name="pod-a", load=Load(at=9.5, waiting=3))
FLOW = {"fairness_id": "default-flow", "priority": "0"}


def make(
    models: tuple[str, ...] = ("llama",),
    poll_errors: Mapping[str, int] | None = None,
    max_series: int = 1000,
) -> Metrics:
    metrics = Metrics(clock=lambda: 10.0, known_models=models, max_series=max_series)
    metrics.watch(
        "default",
        lambda: Snapshot((ENDPOINT,)),
        lambda: {"10.0.0.1:8000": 2},
        lambda: poll_errors or {},
    )
    return metrics


def record(model: str, status: int = 200, flow: str = "default-flow", priority: int = 0) -> Record:
    return Record(
        model=model,
        target_model=model,
        fairness_id=flow,
        priority=priority,
        status=status,
        routed_at=1.0,
    )


def value(metrics: Metrics, name: str, /, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"llm_d_epp_{name}", labels)


def total(metrics: Metrics, model: str, **labels: str) -> float | None:
    names = {"model_name": model, "target_model_name": model}
    return value(metrics, "request_total", **(names | FLOW | labels))


def series(metrics: Metrics) -> list[dict[str, str]]:
    families = {family.name: family for family in metrics.registry.collect()}
    return [sample.labels for sample in families["llm_d_epp_request"].samples]


def test_a_finished_request_is_counted_under_its_names() -> None:
    metrics = make()
    metrics.finished(record("llama"))
    metrics.finished(record("llama"))
    assert total(metrics, "llama") == 2


def test_every_page_has_all_that_ended() -> None:
    metrics = make()
    for count in range(1, 50):
        metrics.finished(record("llama"))
        if count % 7 == 0:
            assert total(metrics, "llama") == count
    assert total(metrics, "llama") == 49


def test_a_model_that_has_answered_is_known_to_the_scheduler_at_once() -> None:
    metrics = make(models=())
    metrics.finished(record("llama"))
    metrics.finished(record("qwen"))
    metrics.scheduled(0.001, "qwen", ENDPOINT.address)
    attempt = {"endpoint_name": "pod-a", "namespace": "", "port": "8000"}
    labels = {"status": "success", "target_model_name": "qwen", **attempt}
    assert value(metrics, "scheduler_attempts_total", **labels) == 1


def test_a_model_is_known_once_the_pool_has_answered_to_it() -> None:
    metrics = make(models=())
    metrics.finished(record("qwen", status=503))
    metrics.finished(record("qwen"))
    metrics.finished(record("qwen", status=500))
    assert total(metrics, "other") == 1
    assert total(metrics, "qwen") == 2


def test_invented_models_share_one_series_and_keep_nobody_out() -> None:
    metrics = make(models=())
    for n in range(5000):
        metrics.finished(record(f"invented-{n}", status=404))
    metrics.finished(record("qwen"))
    assert total(metrics, "other") == 5000
    assert total(metrics, "qwen") == 1
    assert len(series(metrics)) == 2


def test_a_configured_model_has_its_series_however_many_others_were_served() -> None:
    metrics = make(models=())
    for n in range(300):
        metrics.finished(record(f"served-{n}"))
    metrics.know_models(["llama"])
    metrics.finished(record("llama"))
    assert total(metrics, "llama") == 1
    assert len(series(metrics)) == 200 + 2


def test_the_number_of_flows_is_bounded() -> None:
    metrics = make()
    for n in range(500):
        metrics.finished(record("llama", flow=f"tenant-{n}"))
    assert total(metrics, "llama", fairness_id="tenant-49") == 1
    assert total(metrics, "llama", fairness_id="other") == 450


def test_beyond_the_limit_of_series_flows_are_no_longer_told_apart() -> None:
    metrics = make(models=("llama", "qwen"), max_series=2)
    for flow in ("a", "b", "c"):
        metrics.finished(record("llama", flow=flow))
        metrics.finished(record("qwen", flow=flow))
    assert total(metrics, "llama", fairness_id="a") == 1
    assert total(metrics, "llama", fairness_id="other") == 2
    assert total(metrics, "qwen", fairness_id="other") == 2


def test_priorities_have_series_of_their_own() -> None:
    metrics = make()
    metrics.finished(record("llama", priority=-1))
    assert total(metrics, "llama", priority="-1") == 1


def test_running_requests_go_up_when_routed_and_down_when_finished() -> None:
    metrics = make()
    metrics.request_started("llama")
    metrics.request_started("llama")
    assert value(metrics, "request_running", model_name="llama") == 2
    metrics.finished(record("llama"))
    assert value(metrics, "request_running", model_name="llama") == 1
    metrics.finished(record("llama"))
    assert value(metrics, "request_running", model_name="llama") is None


def test_a_request_refused_before_it_was_routed_was_never_running() -> None:
    metrics = make()
    metrics.request_started("llama")
    metrics.finished(Record(model="llama", status=503, reason="rejected-no-endpoints"))
    assert value(metrics, "request_running", model_name="llama") == 1


def test_running_requests_of_unknown_models_are_added_up() -> None:
    metrics = make()
    metrics.request_started("invented-1")
    metrics.request_started("invented-2")
    assert value(metrics, "request_running", model_name="other") == 2


def test_the_scheduler_is_timed_and_its_choices_counted() -> None:
    metrics = make()
    metrics.scheduled(0.00015, "llama", "10.0.0.1:8000")
    metrics.scheduled(0.00015, "invented", None)
    assert value(metrics, "scheduler_e2e_duration_seconds_bucket", le="0.0001") == 0
    assert value(metrics, "scheduler_e2e_duration_seconds_bucket", le="0.0002") == 2
    place = {"endpoint_name": "pod-a", "namespace": "", "port": "8000"}
    nowhere = {"endpoint_name": "", "namespace": "", "port": ""}
    name = "scheduler_attempts_total"
    assert value(metrics, name, status="success", target_model_name="llama", **place) == 1
    assert value(metrics, name, status="failure", target_model_name="other", **nowhere) == 1


def test_open_streams_are_counted() -> None:
    metrics = make()
    metrics.stream_opened()
    metrics.stream_opened()
    metrics.stream_closed()
    assert value(metrics, "extproc_streams_inflight") == 1


def test_the_page_shows_the_pool_the_polls_and_the_version() -> None:
    metrics = make(poll_errors={"timeout": 4})
    assert value(metrics, "average_queue_size", name="default") == 3
    assert (
        value(metrics, "inflight_requests", endpoint_name="pod-a", namespace="", port="8000") == 2
    )
    labels = {"source_type": "metrics-data-source", "kind": "timeout"}
    assert value(metrics, "datalayer_poll_errors_total", **labels) == 4
    assert value(metrics, "info", version=epp.__version__, commit="") == 1


def test_every_metric_of_the_picker_has_a_prefix_that_others_have_too() -> None:
    prefixes = ("llm_d_epp_", "gen_ai_")
    assert [f.name for f in make().collect() if not f.name.startswith(prefixes)] == []


def test_a_finished_request_is_counted_for_its_model_and_for_its_endpoint() -> None:
    metrics = make()
    address = ENDPOINT.address
    metrics.finished(
        Record(model="m", target_model="m", operation="chat", status=200, endpoint=address)
    )
    registry = metrics.registry
    labels = {"endpoint_name": "pod-a", "namespace": "", "port": "8000", "endpoint": address}
    assert registry.get_sample_value("llm_d_epp_endpoint_requests_total", labels) == 1
    names = ("original", "request", "response")
    models = {f"gen_ai_{name}_model": "m" for name in names}
    kind = {"gen_ai_operation_name": "chat", "gen_ai_provider_name": "openai", "endpoint": address}
    name = "gen_ai_server_request_duration_seconds_count"
    assert registry.get_sample_value(name, {**kind, **models, "error_type": ""}) == 1


def test_pools_are_told_apart_until_they_are_watched_no_longer() -> None:
    metrics = make(poll_errors={"timeout": 2})
    metrics.watch("other", Snapshot, dict, lambda: {"timeout": 1})
    assert value(metrics, "ready_endpoints", name="default") == 1
    assert value(metrics, "ready_endpoints", name="other") == 0
    polls = {"source_type": "metrics-data-source", "kind": "timeout"}
    assert value(metrics, "datalayer_poll_errors_total", **polls) == 3
    metrics.unwatch("other")
    assert value(metrics, "ready_endpoints", name="other") is None
