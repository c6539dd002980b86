"""A bug anywhere on a stream's path: the others go on, its client is answered, nothing is held."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from epp.openai import request as openai
from epp.openai.answer import AnswerReader
from epp.routing.router import Router
from epp.scheduling.filters.label_selector import LabelSelectorFilter
from epp.scheduling.pickers.max_score import MaxScorePicker
from epp.scheduling.producers.approx_prefix_cache import ApproxPrefixCacheProducer
from epp.scheduling.producers.inflight_load import INFLIGHT, InFlight, InflightLoadProducer
from epp.scheduling.producers.session_token import SessionTokenProducer
from epp.scheduling.query import Query
from epp.scheduling.scorers.active_request import ActiveRequestScorer
from epp.server import codec
from epp.telemetry.decisions import Decisions
from epp.telemetry.metrics import Metrics
from epp.telemetry.observer import Observer
from tests.server.envoy import (
    BUFFERED,
    DUPLEX,
    Refusal,
    body,
    destination,
    kinds,
    request_body,
    request_headers,
    response_body,
    response_headers,
)
from tests.server.picker import HEADER, Picker, pod

CONFIG = (
    HEADER
    + """
plugins:
- {type: label-selector-filter, parameters: {matchLabels: {app: vllm}}}
- type: active-request-scorer
- type: prefix-cache-scorer
- type: session-affinity-scorer
schedulingProfiles:
- name: default
  plugins:
  - {pluginRef: label-selector-filter}
  - {pluginRef: active-request-scorer}
  - {pluginRef: prefix-cache-scorer}
  - {pluginRef: session-affinity-scorer}
"""
)
PROMPT = {"model": "m", "prompt": "x" * 2000}
SSE = b'data: {"usage":{"prompt_tokens":7,"completion_tokens":10}}\n\n'
A, B = "10.0.0.1:8000", "10.0.0.2:8000"


Break = Callable[[Any, str], None]
Spot = tuple[Any, str]


def spot_name(spot: Spot) -> str:
    return f"{spot[0].__name__}.{spot[1]}"


@pytest.fixture
def picker() -> Picker:
    return Picker(pod(A, labels={"app": "vllm"}), pod(B, labels={"app": "vllm"}), config=CONFIG)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Break:
    """Return what makes a method fail at its next call, and only then."""

    def break_once(owner: Any, name: str) -> None:
        whole = getattr(owner, name)

        def failing(*args: Any, **kwargs: Any) -> Any:
            monkeypatch.setattr(owner, name, whole)
            raise RuntimeError("boom")

        monkeypatch.setattr(owner, name, failing)

    return break_once


def check_nothing_is_held(picker: Picker) -> None:
    assert picker.in_flight.by_address() == {}
    assert picker.metrics._running == {}
    assert picker.metrics._streams == 0
    assert len(picker.router._issued) == 0
    assert picker.scheduler.producers[INFLIGHT].produce(Query(), ()) == InFlight({})


def check_it_still_serves(picker: Picker) -> None:
    stream = picker.stream()
    stream.receive(request_headers())
    assert destination(stream.receive(request_body(PROMPT))[0]) in {A, B}
    stream.receive(response_headers(content_type="text/event-stream"))
    stream.receive(response_body(SSE, end=True))
    stream.close()
    assert picker.records[-1].completion_tokens == 10
    check_nothing_is_held(picker)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelname == "ERROR"]


BEFORE = [
    (openai, "parse"),
    (Router, "route"),
    (LabelSelectorFilter, "keep"),
    (ActiveRequestScorer, "score"),
    (MaxScorePicker, "pick"),
    (ApproxPrefixCacheProducer, "produce"),
    (InflightLoadProducer, "produce"),
    (ApproxPrefixCacheProducer, "reserve"),
    (InflightLoadProducer, "reserve"),
    (SessionTokenProducer, "response_headers"),
    (codec, "event"),
    (codec, "reply"),
]


@pytest.mark.parametrize("spot", BEFORE, ids=spot_name)
@pytest.mark.parametrize("mode", [DUPLEX, BUFFERED])
def test_a_bug_before_the_choice_is_out_is_a_500(
    picker: Picker,
    broken: Break,
    caplog: pytest.LogCaptureFixture,
    mode: Any,
    spot: Spot,
) -> None:
    other, stream = picker.stream(), picker.stream()
    other.receive(request_headers(mode=mode))
    stream.receive(request_headers(mode=mode))
    broken(*spot)
    replies = stream.receive(request_body(PROMPT))
    assert kinds(replies) == ["immediate_response"]
    refusal = Refusal(replies)
    assert (refusal.status, refusal.reason) == (500, "rejected-error")
    assert "boom" not in refusal.error["message"]
    assert stream.finished
    assert errors(caplog) == ["a stream failed"]
    assert destination(other.receive(request_body(PROMPT))[0]) in {A, B}
    for one in (stream, other):
        one.close()
    assert [record.status for record in picker.records] == [500, 0]
    check_it_still_serves(picker)


TOLD = [(Observer, "placed"), (Decisions, "add"), (Metrics, "scheduled")]


@pytest.mark.parametrize("spot", TOLD, ids=spot_name)
def test_a_choice_stands_though_nobody_can_be_told_of_it(
    picker: Picker, broken: Break, caplog: pytest.LogCaptureFixture, spot: Spot
) -> None:
    stream = picker.stream()
    stream.receive(request_headers())
    broken(*spot)
    assert destination(stream.receive(request_body(PROMPT))[0]) in {A, B}
    assert kinds(stream.receive(response_headers())) == ["response_headers"]
    assert body(stream.receive(response_body(b"{}", end=True))) == b"{}"
    stream.close()
    assert errors(caplog) == ["a stream goes on unobserved"]
    check_it_still_serves(picker)


WATCHING = [(AnswerReader, "__init__"), (AnswerReader, "feed"), (AnswerReader, "end")]


@pytest.mark.parametrize("spot", WATCHING, ids=spot_name)
@pytest.mark.parametrize("mode", [DUPLEX, BUFFERED])
def test_an_answer_passes_though_it_cannot_be_read(
    picker: Picker,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    mode: Any,
    spot: Spot,
) -> None:
    def failing(*_: object) -> None:
        raise RuntimeError("boom")

    stream = picker.stream()
    stream.receive(request_headers(mode=mode))
    stream.receive(request_body(PROMPT))
    with monkeypatch.context() as patch:
        patch.setattr(*spot, failing)
        replies = stream.receive(response_headers(content_type="text/event-stream"))
        for _ in range(3):
            replies += stream.receive(response_body(SSE))
        replies += stream.receive(response_body(b"", end=True))
    assert [kind.rstrip("*") for kind in kinds(replies)] == ["response_headers"] + [
        "response_body"
    ] * 4
    assert body(replies) == (SSE * 3 if mode is DUPLEX else b"")
    assert not stream.finished
    stream.close()
    assert errors(caplog) == ["a stream goes on unobserved"]
    assert len(picker.records) == 1
    check_it_still_serves(picker)


ENDING = [
    (InflightLoadProducer, "release"),
    (SessionTokenProducer, "release"),
    (Metrics, "finished"),
]


@pytest.mark.parametrize("spot", ENDING, ids=spot_name)
def test_a_stream_ends_though_somebody_cannot_take_note_of_it(
    picker: Picker, broken: Break, caplog: pytest.LogCaptureFixture, spot: Spot
) -> None:
    stream = picker.stream()
    stream.receive(request_headers())
    stream.receive(request_body(PROMPT))
    broken(*spot)
    stream.close()
    assert errors(caplog) == ["a stream did not end well"]
    assert picker.metrics._streams == 0
    assert len(picker.router._issued) == 0
    assert picker.in_flight.by_address() == {}


def test_a_request_is_counted_out_though_its_numbers_cannot_be_kept(
    picker: Picker, broken: Break
) -> None:
    from epp.telemetry.requests import Requests

    stream = picker.stream()
    stream.receive(request_headers())
    stream.receive(request_body(PROMPT))
    broken(Requests, "add")
    stream.close()
    check_it_still_serves(picker)


def test_a_bug_while_an_answer_passes_ends_its_stream_and_gives_everything_back(
    picker: Picker, broken: Break
) -> None:
    stream = picker.stream()
    stream.receive(request_headers())
    stream.receive(request_body(PROMPT))
    stream.receive(response_headers())
    broken(codec, "reply")
    assert Refusal(stream.receive(response_body(b"{}"))).status == 500
    stream.close()
    check_it_still_serves(picker)
