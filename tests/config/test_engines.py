from __future__ import annotations

import pytest

from epp.config.engines import EngineSpec, MetricSpec
from epp.config.load import load
from tests.config.refusal import HEAD, refused

PLUGINS = "plugins: [{type: queue-scorer}]\n"


def test_an_engine_says_where_its_numbers_are() -> None:
    config = load(
        HEAD
        + PLUGINS
        + """\
engines:
  - name: our-server
    waiting: {metric: "x:jobs", labels: {state: queued}}
    running: {metric: jobs_info, valueLabel: active}
    kvCacheUsage: {metric: memory_percent, scale: 0.01}
    kvCacheUsageOf: max
""",
        "c.yaml",
    )
    assert config.engines == (
        EngineSpec(
            "our-server",
            MetricSpec("x:jobs", {"state": "queued"}),
            MetricSpec("jobs_info", value_label="active"),
            MetricSpec("memory_percent", scale=0.01),
            "max",
        ),
    )


def test_there_are_none_by_default() -> None:
    assert load(HEAD + PLUGINS, "c.yaml").engines == ()


@pytest.mark.parametrize(
    ("engines", "line", "text"),
    [
        ("  - {name: a, waiting: {metric: b}, colour: red}", 4, 'unknown field "colour"'),
        ("  - name: a\n    wait: {metric: jobs}", 5, 'did you mean "waiting"?'),
        ("  - name: a", 4, "waiting, running or kvCacheUsage must be there"),
        ("  - name: a", 4, 'a server without metrics is the engine "none"'),
        ("  - name: a b\n    waiting: {metric: b}", 4, '"a b" is not a name'),
        ("  - name: a\n    waiting: {metric: a b}", 5, '"a b" is not the name of a metric'),
        (
            "  - name: a\n    waiting:\n      metric: a\n      labels: {a-b: c}",
            5,
            '"a-b" is not the name of a label',
        ),
        ("  - name: a\n    waiting:\n      metric: a\n      scale: 0", 7, "scale: expected"),
        ("  - name: a\n    waiting:\n      metric: a\n      scale: .nan", 7, "a finite number"),
        ("  - waiting: {metric: a}\n    name: vllm", 5, 'the engine "vllm" is built in'),
        (
            "  - {name: a, waiting: {metric: a}}\n  - {name: a, running: {metric: b}}",
            5,
            'two engines are called "a" (first on line 4)',
        ),
    ],
)
def test_a_mistake_is_named_by_its_line(engines: str, line: int, text: str) -> None:
    assert any(at == line and text in said for at, said in refused(f"engines:\n{engines}\n"))
