from __future__ import annotations

from prometheus_client import CollectorRegistry, Metric

from epp.pool.endpoint import Endpoint
from epp.telemetry.endpoints import EndpointWork
from epp.telemetry.record import Record

POD = Endpoint("10.0.0.1:8000", name="pod-a", labels={"namespace": "prod"})
KEY = {
    "endpoint_name": "pod-a",
    "namespace": "prod",
    "port": "8000",
    "endpoint": POD.address,
}


class Page:
    def __init__(self, *records: Record) -> None:
        self.work = EndpointWork()
        self.pool = {POD.address: POD}
        for record in records:
            self.work.add(record)
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def collect(self) -> list[Metric]:
        return list(self.work.families(self.pool))

    def value(self, name: str, **labels: str) -> float | None:
        return self._registry.get_sample_value(f"llm_d_epp_endpoint_{name}", KEY | labels)


def test_requests_errors_tokens_and_times_are_counted() -> None:
    page = Page(
        Record(
            status=200,
            endpoint=POD.address,
            prompt_tokens=600,
            cached_tokens=500,
            completion_tokens=80,
            ttft_s=0.3,
            itl_s=0.02,
        ),
        Record(status=500, endpoint=POD.address),
        Record(status=0, endpoint=POD.address),
        Record(status=0, endpoint=POD.address),
    )
    assert page.value("requests_total") == 4
    assert page.value("errors_total", error_code="500") == 1
    assert page.value("errors_total", error_code="aborted") == 2
    assert [page.value("tokens_total", type=t) for t in ("input", "cached_input", "output")] == [
        600,
        500,
        80,
    ]
    assert page.value("ttft_seconds_sum") == 0.3
    assert page.value("itl_seconds_count") == 1


def test_a_request_that_went_nowhere_is_nobodys() -> None:
    assert Page(Record(status=503, reason="x")).value("requests_total") is None


def test_an_endpoint_that_left_takes_its_numbers_along() -> None:
    page = Page(Record(status=200, endpoint=POD.address))
    page.pool = {}
    assert page.value("requests_total") is None
    page.pool = {POD.address: POD}
    assert page.value("requests_total") is None
