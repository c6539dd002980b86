"""What each endpoint did with the requests that it was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily

from epp.pool.endpoint import Endpoint
from epp.telemetry.attempts import place
from epp.telemetry.histogram import Histogram, Shape
from epp.telemetry.record import Record

# The address too: endpoints may share a name.
LABELS = ("endpoint_name", "namespace", "port", "endpoint")
_SECONDS = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0),
    *(30.0, 60.0, 120.0),
)
_TOKEN_SECONDS = (
    *(0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5),
    *(1.0, 2.5),
)
FIRST_TOKEN = Shape(
    "llm_d_epp_endpoint_ttft_seconds",
    "Of streams: from the request's headers to the first token, by endpoint.",
    _SECONDS,
)
PER_TOKEN = Shape(
    "llm_d_epp_endpoint_itl_seconds",
    "Of streams: mean time from one token to the next, by endpoint.",
    _TOKEN_SECONDS,
)


class Work:
    """The numbers of one endpoint."""

    __slots__ = ("errors", "first_token", "per_token", "requests", "tokens")

    def __init__(self) -> None:
        self.requests = 0
        self.errors: dict[str, int] = {}
        self.tokens = {"input": 0, "cached_input": 0, "output": 0}
        self.first_token = Histogram(FIRST_TOKEN)
        self.per_token = Histogram(PER_TOKEN)

    def add(self, record: Record) -> None:
        """Count one finished request."""
        self.requests += 1
        error = record.error_code
        if error is not None:
            self.errors[error] = self.errors.get(error, 0) + 1
        self.tokens["input"] += record.prompt_tokens or 0
        self.tokens["cached_input"] += record.cached_tokens or 0
        self.tokens["output"] += record.completion_tokens or 0
        if record.ttft_s is not None:
            self.first_token.observe(record.ttft_s)
        if record.itl_s is not None:
            self.per_token.observe(record.itl_s)


class EndpointWork:
    """All endpoints, by address. One that left the pool takes its series along."""

    def __init__(self) -> None:
        self._work: dict[str, Work] = {}

    def add(self, record: Record) -> None:
        """Count a finished request that was placed."""
        if not record.endpoint:
            return
        work = self._work.get(record.endpoint)
        if work is None:
            work = self._work[record.endpoint] = Work()
        work.add(record)

    def families(self, pool: Mapping[str, Endpoint]) -> Iterator[Metric]:
        """Render the numbers of the endpoints that `pool` has under their addresses."""
        self._work = {a: work for a, work in self._work.items() if a in pool}
        table: dict[tuple[str, ...], Work] = {
            (*place(pool[a]), a): work for a, work in self._work.items()
        }
        yield from _counters(table)
        yield FIRST_TOKEN.family(LABELS, ((v, work.first_token) for v, work in table.items()))
        yield PER_TOKEN.family(LABELS, ((v, work.per_token) for v, work in table.items()))


def _counters(table: Mapping[tuple[str, ...], Work]) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "llm_d_epp_endpoint_requests", "Requests that ended, by endpoint.", labels=LABELS
    )
    errors = CounterMetricFamily(
        "llm_d_epp_endpoint_errors",
        "Those that ended badly; error_code: HTTP status, or aborted.",
        labels=(*LABELS, "error_code"),
    )
    tokens = CounterMetricFamily(
        "llm_d_epp_endpoint_tokens",
        "Tokens of its requests, as it counts; type: input, cached_input or output.",
        labels=(*LABELS, "type"),
    )
    for values, work in table.items():
        requests.add_metric(values, work.requests)
        for code, count in work.errors.items():
            errors.add_metric((*values, code), count)
        for name, count in work.tokens.items():
            tokens.add_metric((*values, name), count)
    yield requests
    yield errors
    yield tokens
