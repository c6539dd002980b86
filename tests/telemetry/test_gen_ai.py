from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from prometheus_client import CollectorRegistry, Metric

from epp.telemetry.gen_ai import DURATION, FIRST_TOKEN, LABELS, PER_TOKEN, TOKENS, GenAi
from epp.telemetry.names import OTHER, Names
from epp.telemetry.record import Record

POD = "10.0.0.1:8000"
STREAM = Record(
    model="alias",
    target_model="llama",
    response_model="llama",
    operation="chat",
    streaming=True,
    status=200,
    started_at=100.0,
    ended_at=104.0,
    ttft_s=0.3,
    itl_s=0.02,
    prompt_tokens=600,
    completion_tokens=80,
    cached_tokens=512,
    reasoning_tokens=8,
    endpoint=POD,
)
VALUES = ("chat", "openai", "alias", "llama", "llama", POD)


class Page:
    """What the records come to, as a scraper reads it."""

    def __init__(self, *records: Record, names: Names | None = None, limit: int = 2000) -> None:
        self._gen_ai = GenAi(names or Names(["alias", "llama"]), limit)
        self.endpoints = {POD}
        for record in records:
            self._gen_ai.add(record)
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def collect(self) -> list[Metric]:
        return list(self._gen_ai.families(self.endpoints))

    def value(self, name: str, values: tuple[str, ...] = VALUES, **labels: str) -> float | None:
        key = dict(zip(LABELS, values, strict=True))
        return self._registry.get_sample_value(f"gen_ai_{name}", key | labels)

    def series(self, name: str) -> set[tuple[str, ...]]:
        samples = [s for f in self.collect() if f.name == name for s in f.samples]
        return {tuple(s.labels[label] for label in LABELS) for s in samples}


def failed(**fields: Any) -> Record:
    return Record(operation="chat", model="alias", target_model="llama", **fields)


def test_a_stream_feeds_all_four() -> None:
    page = Page(STREAM)
    assert page.value("server_request_duration_seconds_sum", error_type="") == 4.0
    assert page.value("server_time_to_first_token_seconds_sum") == 0.3
    assert page.value("server_time_per_output_token_seconds_sum") == 0.02
    tokens = {
        kind: page.value("client_token_usage_sum", gen_ai_token_type=kind)
        for kind in ("input", "output", "cached_input", "cache_creation_input", "reasoning")
    }
    assert tokens == {
        "input": 600,
        "output": 80,
        "cached_input": 512,
        "cache_creation_input": None,
        "reasoning": 8,
    }


def test_the_buckets_are_ai_gateways() -> None:
    assert TOKENS.bounds[:3] == (1, 4, 16)
    assert TOKENS.bounds[-1] == 67108864
    assert DURATION.bounds[:3] == (0.01, 0.02, 0.04)
    assert DURATION.bounds[-1] == 81.92
    assert (FIRST_TOKEN.bounds[0], FIRST_TOKEN.bounds[-1]) == (0.001, 60)
    assert (PER_TOKEN.bounds[0], PER_TOKEN.bounds[-1]) == (0.01, 2.5)


def test_an_error_is_told_apart_and_a_refused_request_has_no_endpoint() -> None:
    page = Page(failed(status=500, endpoint=POD), failed(status=503, reason="rejected"))
    assert page.value("server_request_duration_seconds_count", error_type="_OTHER") == 1
    assert page.value("server_request_duration_seconds_count", error_type="") is None
    nowhere = (*VALUES[:-1], "")
    assert page.value("server_request_duration_seconds_count", nowhere, error_type="_OTHER") == 1
    assert page.value("server_time_to_first_token_seconds_count") is None


def test_an_answer_without_usage_feeds_no_tokens() -> None:
    bare = structs.replace(STREAM, prompt_tokens=None, completion_tokens=None)
    assert Page(bare).series("gen_ai_client_token_usage") == set()


def test_a_request_that_was_not_understood_has_no_series() -> None:
    assert Page(Record(status=400, reason="x")).series(DURATION.name) == set()


def test_invented_names_share_one_series() -> None:
    invented = [
        structs.replace(failed(status=404, endpoint=POD), model=f"x{n}", target_model=f"x{n}")
        for n in range(50)
    ]
    page = Page(*invented)
    other = ("chat", "openai", "other", "other", "other", POD)
    assert page.series(DURATION.name) == {other}
    assert page.value("server_request_duration_seconds_count", other, error_type="_OTHER") == 50


def test_names_that_were_served_have_series_up_to_the_quota() -> None:
    served = [
        structs.replace(STREAM, model=f"x{n}", target_model=f"x{n}", response_model="")
        for n in range(5)
    ]
    models = {values[2] for values in Page(*served, names=Names(quota=3)).series(DURATION.name)}
    assert models == {"x0", "x1", "x2", "other"}


def test_beyond_the_limit_of_series_models_are_no_longer_told_apart() -> None:
    endpoints = [structs.replace(STREAM, endpoint=f"10.0.0.{n}:8000") for n in range(5)]
    page = Page(*endpoints, limit=2)
    page.endpoints = {record.endpoint for record in endpoints}
    assert {(v[2], v[5]) for v in page.series(DURATION.name)} == {
        ("alias", "10.0.0.0:8000"),
        ("alias", "10.0.0.1:8000"),
        ("other", "10.0.0.2:8000"),
        ("other", "10.0.0.3:8000"),
        ("other", "10.0.0.4:8000"),
    }


def test_an_endpoint_that_left_takes_its_series_along() -> None:
    page = Page(STREAM, failed(status=503))
    page.endpoints = set()
    assert {values[5] for values in page.series(DURATION.name)} == {""}


def test_the_buckets_between_are_ai_gateways_too() -> None:
    first = "0.001 .005 .01 .02 .04 .06 .08 .1 .25 .5 .75 1 2.5 5 7.5 10 15 20 30 45 60"
    assert FIRST_TOKEN.bounds == tuple(map(float, first.split()))
    assert PER_TOKEN.bounds == tuple(
        map(float, ".01 .025 .05 .075 .1 .15 .2 .3 .4 .5 .75 1 2.5".split())
    )
    for shape, factor in (TOKENS, 4), (DURATION, 2):
        pairs = zip(shape.bounds, shape.bounds[1:], strict=False)
        assert all(round(high / low, 9) == factor for low, high in pairs)


def test_the_names_are_ai_gateways() -> None:
    assert [shape.name for shape in (TOKENS, DURATION, FIRST_TOKEN, PER_TOKEN)] == [
        "gen_ai_client_token_usage",
        "gen_ai_server_request_duration_seconds",
        "gen_ai_server_time_to_first_token_seconds",
        "gen_ai_server_time_per_output_token_seconds",
    ]


HOSTILE = st.text(max_size=300) | st.sampled_from(['"} 1\n', "\\", "\n# EOF", "other", "\ud800"])


@settings(max_examples=50, deadline=None)
@given(
    names=st.lists(st.tuples(HOSTILE, HOSTILE, HOSTILE), max_size=40), status=st.integers(0, 599)
)
def test_hostile_names_neither_break_the_page_nor_add_series(
    names: list[tuple[str, str, str]], status: int
) -> None:
    known = Names(["alias", "llama"], quota=3)
    page = Page(
        *(
            structs.replace(STREAM, model=a, target_model=b, response_model=c, status=status)
            for a, b, c in names
        ),
        names=known,
    )
    labels = {name for series in page.series(DURATION.name) for name in series[2:5]}
    assert len(labels - {"alias", "llama", OTHER}) <= 3
    assert len(page.series(DURATION.name)) <= 6**3
