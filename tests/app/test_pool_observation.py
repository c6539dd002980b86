"""What a pool reads of answers: by its flags, its annotations, and what it charges."""

from __future__ import annotations

import time

import pytest

from epp.app.pool import ServedPool
from epp.config.build import build
from epp.config.load import load
from epp.config.settings import Settings
from epp.discovery.annotations import PoolSettings
from epp.discovery.facts import PoolFacts
from epp.discovery.static import StaticSource
from epp.telemetry.decisions import Decisions
from epp.telemetry.level import Level
from epp.telemetry.metrics import Metrics

HEADER = "apiVersion: llm-d.ai/v1alpha1\nkind: EndpointPickerConfig\n"
COSTS = "llmRequestCosts: [{metadataKey: all, type: TotalToken}]\n"
TABLE = "models: {table: [{name: mine, targets: [{model: m}]}]}\n"


def pool(config: str = "", **settings: object) -> ServedPool:
    text = HEADER + "plugins: [{type: queue-scorer}]\n" + config
    return ServedPool(
        "p",
        StaticSource(()),
        build(load(text, "x.yaml"), seed=1),
        Settings(**settings),  # type: ignore[arg-type]
        metrics=Metrics(clock=time.monotonic),
        decisions=Decisions(1),
        clock=time.monotonic,
    )


def levels(served: ServedPool, count: int = 4) -> list[Level]:
    return [served.conversing.sampler.next() for _ in range(count)]


def annotate(served: ServedPool, level: Level | None) -> None:
    served.learn(PoolFacts(settings=PoolSettings(observe_responses=level)))


def test_the_annotation_wins_over_the_flag_and_can_be_taken_back() -> None:
    served = pool(observe_responses=Level.HEADERS)
    assert levels(served, 1) == [Level.HEADERS]
    annotate(served, Level.NONE)
    assert levels(served, 1) == [Level.NONE]
    annotate(served, None)
    assert levels(served, 1) == [Level.HEADERS]


def test_a_sample_is_as_large_as_the_flag_says() -> None:
    served = pool(observe_sample=2)
    annotate(served, Level.SAMPLE)
    assert levels(served) == [Level.FULL, Level.HEADERS, Level.FULL, Level.HEADERS]


@pytest.mark.parametrize("level", list(Level))
def test_where_answers_are_charged_each_is_read(
    level: Level, caplog: pytest.LogCaptureFixture
) -> None:
    served = pool(COSTS, observe_responses=level)
    assert set(levels(served)) == {Level.FULL}
    annotate(served, level)
    assert set(levels(served)) == {Level.FULL}
    assert served.conversing.billing is not None
    told = [record.__dict__["asked_for"] for record in caplog.records]
    assert told == ([] if level is Level.FULL else [level.value]), "once"


def test_bodies_are_asked_for_where_names_may_have_to_be_changed_back() -> None:
    assert pool(TABLE).conversing.edits
    assert not pool().conversing.edits
    assert pool().conversing.billing is None
