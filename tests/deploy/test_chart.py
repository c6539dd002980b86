"""The chart, beyond what its objects are: lint, its values' schema, its notes."""

from __future__ import annotations

import copy
import json
from typing import Any

import helm_python
import pytest
import yaml

import epp
from tests.deploy.manifests import CHART, VALUES, Object, helm


@pytest.mark.parametrize("name", VALUES)
def test_lint_has_nothing_to_say(name: str) -> None:
    report = helm_python.lint(CHART, VALUES[name], strict=True, kube_version="v1.30.0")

    said = [message for message in report["messages"] if message["severity"] > 1]
    assert (said, report["errors"]) == ([], [])


@pytest.mark.parametrize("name", VALUES)
def test_each_object_is_in_the_release_s_namespace(name: str) -> None:
    assert {found["metadata"]["namespace"] for found in helm(VALUES[name])} == {"models"}


WRONG: list[Object] = [
    {"replica": 3},
    {"pool": {"bodyMode": "Buffered"}},
    {"pool": {"allowModeOverride": "true"}},
    {"pool": {"targetPorts": [8000, 8000]}},
    {"pool": {"targetPorts": []}},
    {"pool": {"targetPorts": list(range(8000, 8009))}},
    {"pool": {"failureMode": "FailClosed"}},
    {"picker": {"insecure": True, "tlsSecret": "epp-tls"}},
    {"picker": {"extraArgs": ["decisions=5"]}},
    {"picker": {"settleSeconds": 0}},
    {"networkPolicy": {"apiServerPorts": [70000]}},
]


@pytest.mark.parametrize("values", WRONG, ids=str)
def test_wrong_values_are_refused(values: Object) -> None:
    with helm_python.Chart.load(CHART) as chart, pytest.raises(helm_python.HelmError):
        chart.validate_schema(chart.merge_values(values))


def test_the_schema_knows_each_value_and_no_other() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())

    known = {path for path in _described(schema) if not path.startswith("global")}
    assert known == set(_given(values, known))


def _described(schema: Any, path: str = "") -> set[str]:
    children = schema.get("properties")
    if not children:
        return {path}
    return {
        found
        for name, child in children.items()
        for found in _described(child, f"{path}.{name}".lstrip("."))
    }


def _given(values: Any, known: set[str], path: str = "") -> list[str]:
    if path in known or not isinstance(values, dict):
        return [path]
    return [
        found
        for name, value in values.items()
        for found in _given(value, known, f"{path}.{name}".lstrip("."))
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("default", []), ("small", ["one picker"]), ("standby", []), ("all", [])],
)
def test_the_notes_name_the_pool_and_what_is_dangerous(name: str, expected: list[str]) -> None:
    with helm_python.Chart.load(CHART) as chart:
        files = chart.render(VALUES[name], name="vllm", namespace="models")
    (notes,) = (text for path, text in files.items() if path.endswith("NOTES.txt"))

    pool = VALUES[name].get("pool", {}).get("name", "vllm")
    assert f"the pool models/{pool}." in notes
    assert all(word in notes for word in expected)
    assert notes.count("Careful") == len(expected)


def test_buffered_without_override_is_warned_about() -> None:
    with helm_python.Chart.load(CHART) as chart:
        files = chart.render({"pool": {"bodyMode": "buffered"}}, name="vllm")

    assert any("arrives at its end" in text for text in files.values())


def test_another_configuration_starts_other_pods() -> None:
    changed = copy.deepcopy(VALUES["all"])
    changed["picker"]["config"] += "plugins: []\n"

    before, after = (
        next(o for o in helm(values) if o["kind"] == "Deployment")["spec"]["template"]["metadata"]
        for values in (VALUES["all"], changed)
    )
    assert before["annotations"] != after["annotations"]


def test_it_is_this_version_and_stands_alone() -> None:
    with helm_python.Chart.load(CHART) as chart:
        assert chart.metadata["appVersion"] == epp.__version__
        assert chart.dependencies == []
