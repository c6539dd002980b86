"""The demo of too much work, made short."""

from __future__ import annotations

import io

import pytest
from msgspec import structs
from rich.console import Console

from epp.config.build import build
from epp.config.load import load
from epp.demo.overload import UNGATED, OverloadOptions, comparison, gated, overload
from epp.demo.promise import Promise, kept
from epp.demo.traffic import Answer, Plan

SHORT = Plan(
    conversations=6,
    turns=1,
    per_second=6,
    instructions_words=300,
    question_words=50,
    answer_tokens=8,
)
IN_TIME = Answer("a", first_token_s=1.0, whole_s=1.9, cached_tokens=0, prompt_tokens=9, tokens=10)


def shown(console: io.StringIO) -> dict[str, list[str]]:
    return {
        cells[1].strip(): [cell.strip() for cell in cells[2:4]]
        for line in console.getvalue().splitlines()
        if len(cells := line.split("│")) == 5
    }


@pytest.mark.envoy
async def test_the_same_requests_are_played_twice_and_compared() -> None:
    out = io.StringIO()
    await overload(OverloadOptions(plan=SHORT), Console(file=out, width=100))
    rows = shown(out)
    assert rows["requests"] == ["6", "6"]
    assert rows["failed"] == ["0", "0"]
    assert rows["had both targets met"][0] == "100%"


def test_the_second_time_requests_may_wait_for_what_is_promised() -> None:
    promise = OverloadOptions().promise
    assert build(load(UNGATED, "demo"), 1).gate is None
    gate = build(load(gated(promise), "demo"), 1).gate
    assert gate is not None
    assert (gate.settings.targets.ttft_s, gate.settings.targets.tpot_s) == (8.0, 0.2)


@pytest.mark.parametrize(
    ("answer", "good"),
    [
        (IN_TIME, True),
        (structs.replace(IN_TIME, first_token_s=1.1), False),
        (structs.replace(IN_TIME, whole_s=2.0), False),
        (structs.replace(IN_TIME, error="gone"), False),
    ],
)
def test_a_promise_is_kept_by_an_answer_that_has_both(answer: Answer, good: bool) -> None:
    assert Promise(1.0, 0.1 + 1e-9).kept_by(answer) is good


def test_who_is_refused_or_fails_had_no_promise_kept() -> None:
    refused = Answer("", 0.0, 0.1, 0, 0, "full", refused=True)
    failed = structs.replace(refused, error="gone", refused=False)
    figures = kept([IN_TIME, refused, failed, failed], Promise(2.0, 1.0))
    assert (figures.requests, figures.refused, figures.failed) == (4, 1, 2)
    assert figures.share == 0.25
    out = io.StringIO()
    Console(file=out, width=100).print(comparison([("a", figures), ("b", kept([], Promise(1, 1)))]))
    assert shown(out)["refused with 429"] == ["1", "0"]
