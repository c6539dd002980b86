from __future__ import annotations

import pytest

from epp.config.load import load
from tests.config.refusal import HEAD, refused


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (
            "plugins:\n- name: q\n  type: queue-scorrer\n",
            5,
            'there is no plugin type "queue-scorrer"; did you mean "queue-scorer"?',
        ),
        (
            "plugins:\n- type: queue-scorer\n- type: max-score-piker\n",
            5,
            'there is no plugin type "max-score-piker"; did you mean "max-score-picker"?',
        ),
        (
            "plugins:\n- type: queue-scorer\n- type: disagg-profile-handler\n",
            5,
            "disagg-profile-handler is not supported by this picker yet; remove it",
        ),
        (
            "plugins:\n- type: queue-scorer\n- type: file-discovery\n",
            5,
            "file-discovery is the flag --endpoints-file here; remove it",
        ),
        (
            "plugins:\n- type: queue-scorer\n- type: queue-scorer\n",
            5,
            'two plugins are called "queue-scorer" (first on line 4)',
        ),
        (
            "plugins:\n- type: queue-scorer\n- type: load-aware-scorer\n  name: queue-scorer\n",
            6,
            'two plugins are called "queue-scorer" (first on line 4)',
        ),
        (
            "plugins:\n- type: load-aware-scorer\n  parameters:\n    treshold: 3\n",
            6,
            'unknown field "treshold" in plugins[0].parameters; did you mean "threshold"?',
        ),
        (
            "plugins:\n- type: load-aware-scorer\n  parameters:\n\n    threshold: many\n",
            7,
            'plugins[0].parameters.threshold: expected a whole number, got "many"',
        ),
        (
            "plugins:\n- type: load-aware-scorer\n  parameters:\n  - threshold\n",
            5,
            "plugins[0].parameters: expected a mapping, got a list",
        ),
        (
            "plugins:\n- type: queue-scorer\n- type: openai-parser\n  parameters: {a: 1}\n",
            6,
            "openai-parser has no parameters",
        ),
        (
            "plugins:\n- type: prefix-cache-scorer\n  parameters:\n"
            "    prefixMatchInfoProducerName: approx-prefix-cache-produce\n",
            4,
            '"prefix-cache-scorer" reads the producer "approx-prefix-cache-produce", and there is '
            'none; did you mean "approx-prefix-cache-producer"?',
        ),
        (
            "plugins:\n- type: queue-scorer\n- type: prefix-cache-scorer\n  parameters:\n"
            "    prefixMatchInfoProducerName: queue-scorer\n",
            5,
            '"prefix-cache-scorer" reads the producer "queue-scorer", and there is none',
        ),
    ],
)
def test_a_plugin_that_cannot_be_made_is_refused_with_its_line(
    text: str, line: int, said: str
) -> None:
    assert refused(text) == [(line, said)]


def test_every_bad_parameter_is_told() -> None:
    text = """plugins:
- type: prefix-cache-scorer
  parameters:
    matchLengthWeight: 2
    matchLengthScaleTokens: 0
"""
    assert [line for line, _ in refused(text)] == [6, 7]


def test_what_a_plugin_says_of_its_parameters_together_is_told() -> None:
    text = """plugins:
- type: label-selector-filter
  parameters:
    matchExpressions:
    - {key: zone, operator: Exists}
    - {key: zone, operator: In}
"""
    ((line, said),) = refused(text)
    assert line == 8
    assert said == "plugins[0].parameters.matchExpressions[1]: In of 'zone' needs values"


@pytest.mark.parametrize("parameters", ["", "  parameters:\n", "  parameters: {}\n"])
def test_a_plugin_without_parameters_has_its_defaults(parameters: str) -> None:
    config = load(HEAD + "plugins:\n- type: load-aware-scorer\n" + parameters, "x")
    assert config.plugins[0].parameters == {}


def test_a_producer_may_be_read_under_a_name_of_its_own() -> None:
    text = """plugins:
- {name: seen, type: approx-prefix-cache-producer}
- {type: prefix-cache-scorer, parameters: {prefixMatchInfoProducerName: seen}}
"""
    types = [spec.type for spec in load(HEAD + text, "x").plugins]
    assert types.count("approx-prefix-cache-producer") == 1
