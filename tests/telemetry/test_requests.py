from __future__ import annotations

from prometheus_client import CollectorRegistry, Metric

from epp.telemetry.record import Record
from epp.telemetry.requests import LABELS, Requests, families

VALUES = ("llama", "llama-7b", "team-a", "0")
KEY = dict(zip(LABELS, VALUES, strict=True))
ANSWERED = Record(
    status=200,
    streaming=True,
    started_at=100.0,
    routed_at=100.004,
    first_byte_at=100.3,
    ended_at=104.0,
    request_bytes=2400,
    response_bytes=9000,
    prompt_tokens=600,
    completion_tokens=80,
    cached_tokens=512,
)


class Page:
    """What the records come to, as a scraper reads it."""

    def __init__(self, *records: Record) -> None:
        self._requests = Requests()
        for record in records:
            self._requests.add(record)
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def collect(self) -> list[Metric]:
        return list(families({VALUES: self._requests}))

    def value(self, name: str, **labels: str) -> float | None:
        return self._registry.get_sample_value(f"llm_d_epp_{name}", KEY | labels)


def test_an_answered_request_feeds_every_histogram() -> None:
    page = Page(ANSWERED)
    assert page.value("request_total") == 1
    assert page.value("request_duration_seconds_sum") == 4.0
    assert page.value("request_duration_seconds_bucket", le="2.5") == 0
    assert page.value("request_duration_seconds_bucket", le="5.0") == 1
    assert page.value("request_processing_duration_seconds_bucket", le="0.005") == 1
    assert page.value("request_size_bytes_sum") == 2400
    assert page.value("response_size_bytes_sum") == 9000
    assert page.value("request_input_tokens_sum") == 600
    assert page.value("request_output_tokens_sum") == 80
    assert page.value("request_cached_tokens_sum") == 512
    assert page.value("request_ntpot_seconds_sum") == 4.0 / 80
    assert page.value("request_ttft_seconds_bucket", streaming="true", le="0.2") == 0
    assert page.value("request_ttft_seconds_bucket", streaming="true", le="0.5") == 1
    assert page.value("request_ttft_seconds_count", streaming="false") is None


def test_a_refused_request_has_neither_first_byte_nor_tokens() -> None:
    page = Page(Record(status=503, reason="rejected-no-endpoints", started_at=1.0, ended_at=1.5))
    assert page.value("request_error_total", error_code="rejected-no-endpoints") == 1
    assert page.value("request_duration_seconds_count") == 1
    for name in ("processing_duration_seconds", "input_tokens", "ntpot_seconds"):
        assert page.value(f"request_{name}_count") is None
    assert page.value("request_ttft_seconds_count", streaming="false") is None


def test_an_answer_of_no_tokens_has_no_time_per_token() -> None:
    page = Page(Record(status=200, prompt_tokens=5, completion_tokens=0))
    assert page.value("request_input_tokens_count") == 1
    assert page.value("request_ntpot_seconds_count") is None


def test_errors_are_counted_by_code() -> None:
    page = Page(Record(status=404), Record(status=404), Record(status=500), Record(status=200))
    assert page.value("request_total") == 4
    assert page.value("request_error_total", error_code="404") == 2
    assert page.value("request_error_total", error_code="500") == 1
    assert page.value("request_error_total", error_code="200") is None
