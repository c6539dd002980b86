"""What is counted of the requests of one model, fairness id and priority."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily

from epp.telemetry.histogram import Histogram, Shape
from epp.telemetry.record import Record

LABELS = ("model_name", "target_model_name", "fairness_id", "priority")
Values = tuple[str, str, str, str]

_SECONDS = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0),
    *(300.0, 600.0, 1800.0, 3600.0),
)
_FIRST_BYTE_SECONDS = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0),
    *(30.0, 60.0, 120.0),
)
_TOKEN_SECONDS = (
    *(0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5),
    *(1.0, 2.5, 10.0),
)
_PICKER_SECONDS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
_BYTES = tuple(float(64 * 4**n) for n in range(13))  # 64 B to 1 GiB
_TOKENS_IN = (1.0, *(float(2**n) for n in range(4, 21)))
_TOKENS_OUT = tuple(float(2**n) for n in range(14))

DURATION = Shape(
    "llm_d_epp_request_duration_seconds", "From the request's headers to its end.", _SECONDS
)
PROCESSING = Shape(
    "llm_d_epp_request_processing_duration_seconds",
    "From the request's headers to its destination, the reading of its body included.",
    _PICKER_SECONDS,
)
REQUEST_SIZE = Shape("llm_d_epp_request_size_bytes", "Size of the request's body.", _BYTES)
RESPONSE_SIZE = Shape("llm_d_epp_response_size_bytes", "Size of the answer's body.", _BYTES)
INPUT_TOKENS = Shape(
    "llm_d_epp_request_input_tokens", "Prompt tokens, as the model server counts.", _TOKENS_IN
)
CACHED_TOKENS = Shape(
    "llm_d_epp_request_cached_tokens", "Prompt tokens that the server found cached.", _TOKENS_IN
)
OUTPUT_TOKENS = Shape(
    "llm_d_epp_request_output_tokens", "Tokens of the answer, as the server counts.", _TOKENS_OUT
)
TIME_PER_TOKEN = Shape(
    "llm_d_epp_request_ntpot_seconds",
    "Duration divided by the number of tokens of the answer.",
    _TOKEN_SECONDS,
)
FIRST_BYTE = Shape(
    "llm_d_epp_request_ttft_seconds",
    "From the request's headers to the first byte of the answer's body.",
    _FIRST_BYTE_SECONDS,
)


class Requests:
    """The numbers of one set of label values."""

    __slots__ = (
        "cached_tokens",
        "count",
        "duration",
        "errors",
        "first_byte",
        "input_tokens",
        "output_tokens",
        "processing",
        "request_size",
        "response_size",
        "time_per_token",
    )

    def __init__(self) -> None:
        self.count = 0
        self.errors: dict[str, int] = {}
        self.duration = Histogram(DURATION)
        self.processing = Histogram(PROCESSING)
        self.request_size = Histogram(REQUEST_SIZE)
        self.response_size = Histogram(RESPONSE_SIZE)
        self.input_tokens = Histogram(INPUT_TOKENS)
        self.cached_tokens = Histogram(CACHED_TOKENS)
        self.output_tokens = Histogram(OUTPUT_TOKENS)
        self.time_per_token = Histogram(TIME_PER_TOKEN)
        self.first_byte = {False: Histogram(FIRST_BYTE), True: Histogram(FIRST_BYTE)}

    def add(self, record: Record) -> None:
        """Count one finished request."""
        self.count += 1
        error = record.error_code
        if error is not None:
            self.errors[error] = self.errors.get(error, 0) + 1
        duration = record.ended_at - record.started_at
        self.duration.observe(duration)
        self.request_size.observe(record.request_bytes)
        if record.routed_at is not None:
            self.processing.observe(record.routed_at - record.started_at)
        if record.first_byte_at is not None:
            self.first_byte[record.streaming].observe(record.first_byte_at - record.started_at)
            self.response_size.observe(record.response_bytes)
        if record.prompt_tokens is not None:
            self.input_tokens.observe(record.prompt_tokens)
        if record.cached_tokens is not None:
            self.cached_tokens.observe(record.cached_tokens)
        if record.completion_tokens:
            self.output_tokens.observe(record.completion_tokens)
            self.time_per_token.observe(duration / record.completion_tokens)


def families(table: Mapping[Values, Requests]) -> Iterator[Metric]:
    """Render the whole table."""
    total = CounterMetricFamily("llm_d_epp_request", "Requests that ended.", labels=LABELS)
    errors = CounterMetricFamily(
        "llm_d_epp_request_error",
        "Requests that ended badly; error_code: dropped reason, HTTP status, or aborted.",
        labels=(*LABELS, "error_code"),
    )
    for values, requests in table.items():
        total.add_metric(values, requests.count)
        for code, count in requests.errors.items():
            errors.add_metric((*values, code), count)
    yield total
    yield errors
    yield from _histograms(table)


def _histograms(table: Mapping[Values, Requests]) -> Iterator[Metric]:
    yield DURATION.family(LABELS, ((v, r.duration) for v, r in table.items()))
    yield PROCESSING.family(LABELS, ((v, r.processing) for v, r in table.items()))
    yield REQUEST_SIZE.family(LABELS, ((v, r.request_size) for v, r in table.items()))
    yield RESPONSE_SIZE.family(LABELS, ((v, r.response_size) for v, r in table.items()))
    yield INPUT_TOKENS.family(LABELS, ((v, r.input_tokens) for v, r in table.items()))
    yield CACHED_TOKENS.family(LABELS, ((v, r.cached_tokens) for v, r in table.items()))
    yield OUTPUT_TOKENS.family(LABELS, ((v, r.output_tokens) for v, r in table.items()))
    yield TIME_PER_TOKEN.family(LABELS, ((v, r.time_per_token) for v, r in table.items()))
    yield FIRST_BYTE.family(
        (*LABELS, "streaming"),
        (
            ((*values, str(streaming).lower()), histogram)
            for values, requests in table.items()
            for streaming, histogram in requests.first_byte.items()
        ),
    )
