from __future__ import annotations

from pathlib import Path

import pytest

from epp.config.error import ConfigError
from epp.config.load import default, load, load_file, load_preset
from tests.config.refusal import HEAD, refused


def test_without_a_file_the_cost_decides() -> None:
    (profile,) = default().scheduling_profiles
    assert [(r.plugin_ref, r.weight) for r in profile.plugins] == [
        ("failure-memory-filter", None),
        ("marginal-cost-scorer", 1.0),
        ("max-score-picker", None),
    ]


def test_classic_goes_by_queue_cache_and_prefix() -> None:
    (profile,) = load_preset("classic").scheduling_profiles
    assert [(r.plugin_ref, r.weight) for r in profile.plugins] == [
        ("queue-scorer", 2.0),
        ("kv-cache-utilization-scorer", 2.0),
        ("prefix-cache-scorer", 3.0),
        ("loaded-model-scorer", 2.0),
        ("max-score-picker", None),
    ]


def test_the_older_api_version_is_accepted() -> None:
    text = (
        HEAD.replace("llm-d.ai", "inference.networking.x-k8s.io")
        + "plugins: [{type: queue-scorer}]"
    )
    assert load(text, "x").api_version == "inference.networking.x-k8s.io/v1alpha1"


def test_json_is_a_configuration_too() -> None:
    text = (
        '{"apiVersion": "llm-d.ai/v1alpha1", "kind": "EndpointPickerConfig",'
        ' "plugins": [{"type": "queue-scorer"}]}'
    )
    assert load(text, "x").scheduling_profiles[0].plugins[0].plugin_ref == "queue-scorer"


def test_a_file_is_loaded_and_named_in_its_errors(tmp_path: Path) -> None:
    path = tmp_path / "epp.yaml"
    path.write_text(HEAD + "plugins: [{type: queue-scorer}]\n")
    assert load_file(path) == load(path.read_text(), "elsewhere")
    path.write_text("kind: [\n")
    with pytest.raises(ConfigError) as caught:
        load_file(path)
    assert str(caught.value).startswith(f"{path}:1: not valid YAML")


def test_a_file_that_is_not_there_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none.yaml:1: cannot be read: No such file"):
        load_file(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "the file is empty"),
        ("a: [1\nb: 2", 2, "not valid YAML"),
        ("- a\n", 1, "expected a mapping, got a list"),
        ("just words\n", 1, 'expected a mapping, got "just words"'),
        (
            HEAD + "plugins: []\nplugins: []\n",
            4,
            'the key "plugins" is here twice (first on line 3)',
        ),
        (HEAD + "plugin: []\n", 3, 'unknown field "plugin"; did you mean "plugins"?'),
        (HEAD + "zzz: " + "x" * (1 << 20), 1, "the file has more than 1,048,576 bytes"),
        (HEAD + "plugins: \ud800", 3, "this is not UTF-8 text"),
        (
            "apiVersion: llm-d.ai/v1\nkind: EndpointPickerConfig\n",
            1,
            'apiVersion: "llm-d.ai/v1" is none of llm-d.ai/v1alpha1, '
            'inference.networking.x-k8s.io/v1alpha1; did you mean "llm-d.ai/v1alpha1"?',
        ),
        ("kind: EndpointPickerConfig\n", 1, '"apiVersion" is missing'),
        (
            "apiVersion: llm-d.ai/v1alpha1\n\nkind: EndpointPickerconfig\n",
            3,
            'kind: "EndpointPickerconfig" is none of EndpointPickerConfig; '
            'did you mean "EndpointPickerConfig"?',
        ),
        (HEAD + "plugins:\n- name: q\n", 4, 'plugins[0]: "type" is missing'),
        (
            HEAD + "plugins:\n- type: queue-scorer\n  parameter: {}\n",
            5,
            'unknown field "parameter" in plugins[0]; did you mean "parameters"?',
        ),
    ],
)
def test_a_file_of_the_wrong_shape_is_refused_with_its_line(
    text: str, line: int, said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text, "epp.yaml")
    (problem,) = caught.value.problems
    assert problem.line == line
    assert problem.text.startswith(said)
    assert str(caught.value) == f"epp.yaml:{line}: {problem.text}"


def test_all_mistakes_are_reported_in_the_order_of_the_file() -> None:
    text = HEAD + "plugins:\n- type: queue-scorrer\n- type: max-score-piker\nfeatureGates: [x]\n"
    with pytest.raises(ConfigError) as caught:
        load(text, "epp.yaml")
    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == ["4", "5", "6"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dataLayer:\n  sources: []\n", "dataLayer is not supported by this picker yet; remove it"),
        ("saturationDetector: {}\n", "saturationDetector is not supported by this picker yet"),
        ("parser: {pluginRef: x}\n", "parser is an older spelling; use requestHandler.parsers"),
    ],
)
def test_what_only_llm_d_has_is_refused_and_not_ignored(text: str, said: str) -> None:
    ((line, told),) = refused(text + "plugins: [{type: queue-scorer}]\n")
    assert line == 3
    assert told.startswith(said)
