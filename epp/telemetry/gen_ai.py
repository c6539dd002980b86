"""The histograms of the models, under OpenTelemetry's and AI Gateway's names."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from prometheus_client import Metric

from epp.telemetry.histogram import Histogram, Shape
from epp.telemetry.names import OTHER, Names
from epp.telemetry.record import Record

LABELS = (
    "gen_ai_operation_name",
    "gen_ai_provider_name",
    "gen_ai_original_model",
    "gen_ai_request_model",
    "gen_ai_response_model",
    "endpoint",
)
PROVIDER = "openai"  # what AI Gateway calls every pool
_FAILED = "_OTHER"

TOKENS = Shape(
    "gen_ai_client_token_usage",
    "Tokens of a request, as the model server counts; gen_ai_token_type: which.",
    tuple(float(4**n) for n in range(14)),
)
DURATION = Shape(
    "gen_ai_server_request_duration_seconds",
    "From the request's headers to its end, the wait in the picker included.",
    tuple(round(0.01 * 2**n, 2) for n in range(14)),
)
FIRST_TOKEN = Shape(
    "gen_ai_server_time_to_first_token_seconds",
    "Of streams: from the request's headers to the first token, the wait in the picker included.",
    (
        *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5),
        *(10.0, 15.0, 20.0, 30.0, 45.0, 60.0),
    ),
)
PER_TOKEN = Shape(
    "gen_ai_server_time_per_output_token_seconds",
    "Of streams: mean time from one token to the next.",
    (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5),
)

_TYPES = ("input", "output", "cached_input", "cache_creation_input", "reasoning")


Key = tuple[str, str, str, str, str, str]
"""Whose series: the values of `LABELS`."""


class Series:
    """The histograms of one set of label values; those of tokens are made when they are needed."""

    __slots__ = ("first_token", "good", "ill", "per_token", "tokens")

    def __init__(self) -> None:
        self.good = Histogram(DURATION)
        self.ill = Histogram(DURATION)
        self.first_token = Histogram(FIRST_TOKEN)
        self.per_token = Histogram(PER_TOKEN)
        self.tokens: dict[str, Histogram] = {}

    def add(self, record: Record) -> None:
        """Count one finished request."""
        duration = self.good if record.error_code is None else self.ill
        duration.observe(record.ended_at - record.started_at)
        if record.ttft_s is not None:
            self.first_token.observe(record.ttft_s)
        if record.itl_s is not None:
            self.per_token.observe(record.itl_s)
        if record.prompt_tokens is None and record.completion_tokens is None:
            return
        counts = (
            record.prompt_tokens,
            record.completion_tokens,
            record.cached_tokens,
            record.cache_creation_tokens,
            record.reasoning_tokens,
        )
        for name, count in zip(_TYPES, counts, strict=True):
            if count is not None:
                histogram = self.tokens.get(name)
                if histogram is None:
                    histogram = self.tokens[name] = Histogram(TOKENS)
                histogram.observe(count)


class GenAi:
    """All series. `models` bounds the names; beyond `limit` series, models are not told apart.

    An endpoint that left the pool takes its series along.
    """

    def __init__(self, models: Names, limit: int = 2000) -> None:
        self._models = models
        self._limit = limit
        self._series: dict[Key, Series] = {}

    def add(self, record: Record) -> None:
        """Count a finished request; one that was not understood has no operation, and no series."""
        if not record.operation:
            return
        response = record.response_model or record.target_model
        key: Key = (
            record.operation,
            PROVIDER,
            record.model,
            record.target_model,
            response,
            record.endpoint,
        )
        series = self._series.get(key)
        if series is None:
            series = self._of(key, admit=record.succeeded)
        series.add(record)

    def _of(self, key: Key, *, admit: bool) -> Series:
        label = self._models.label
        operation, provider, *names, endpoint = key
        model, target, response = (label(name, admit=admit) for name in names)
        key = operation, provider, model, target, response, endpoint
        if key not in self._series and len(self._series) >= self._limit:
            key = operation, provider, OTHER, OTHER, OTHER, endpoint
        return self._series.setdefault(key, Series())

    def families(self, endpoints: Container[str]) -> Iterator[Metric]:
        """Render all; `endpoints` are the addresses of the pools."""
        self._series = {
            key: series
            for key, series in self._series.items()
            if not key[-1] or key[-1] in endpoints
        }
        table = self._series
        yield TOKENS.family((*LABELS, "gen_ai_token_type"), _tokens(table))
        yield DURATION.family((*LABELS, "error_type"), _durations(table))
        yield FIRST_TOKEN.family(LABELS, ((v, s.first_token) for v, s in table.items()))
        yield PER_TOKEN.family(LABELS, ((v, s.per_token) for v, s in table.items()))


_Table = Mapping[Key, Series]
_Rows = Iterator[tuple[tuple[str, ...], Histogram]]


def _tokens(table: _Table) -> _Rows:
    for values, series in table.items():
        for name, histogram in series.tokens.items():
            yield (*values, name), histogram


def _durations(table: _Table) -> _Rows:
    for values, series in table.items():
        yield (*values, ""), series.good
        yield (*values, _FAILED), series.ill
