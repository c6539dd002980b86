from __future__ import annotations

import pytest

from tests.config.refusal import refused

PLUGINS = """plugins:
- {name: q, type: queue-scorer}
- {type: max-score-picker}
- {type: random-picker}
- {type: inflight-load-producer}
- {type: openai-parser}
- {name: labels, type: label-selector-filter}
- {type: single-profile-handler}
schedulingProfiles:
- name: default
  plugins:
"""


@pytest.mark.parametrize(
    ("references", "line", "said"),
    [
        ("  - pluginRef: qq\n", 14, 'no plugin is called "qq"'),
        (
            "  - pluginRef: q\n  - pluginRef: lables\n",
            15,
            'no plugin is called "lables"; did you mean "labels"?',
        ),
        (
            "  - weight: 2\n    pluginRef: queue-scorer\n",
            15,
            '"queue-scorer" is not in plugins; add "- type: queue-scorer" there',
        ),
        (
            "  - pluginRef: q\n  - pluginRef: labels\n    weight: 1\n",
            16,
            '"labels" is a filter; only a scorer has a weight',
        ),
        (
            "  - pluginRef: q\n  - {pluginRef: random-picker, weight: 1}\n",
            15,
            '"random-picker" is a picker; only a scorer has a weight',
        ),
        (
            "  - pluginRef: q\n    weight: -1\n",
            15,
            "schedulingProfiles[0].plugins[0].weight: expected a number >= 0.0, got -1",
        ),
        (
            "  - pluginRef: q\n    weight: .nan\n",
            15,
            "schedulingProfiles[0].plugins[0].weight: expected a finite number, got nan",
        ),
        (
            "  - pluginRef: q\n    weight: heavy\n",
            15,
            'schedulingProfiles[0].plugins[0].weight: expected a number, got "heavy"',
        ),
        (
            "  - pluginRef: max-score-picker\n  - pluginRef: random-picker\n",
            15,
            '"random-picker" is a second picker; a profile has one, and "max-score-picker" is it',
        ),
        ("  - pluginRef: q\n  - pluginRef: q\n", 15, '"q" is in this profile twice'),
        (
            "  - pluginRef: inflight-load-producer\n",
            14,
            '"inflight-load-producer" is a producer and has no place in a profile; '
            "it is enough in plugins",
        ),
        (
            "  - pluginRef: openai-parser\n",
            14,
            '"openai-parser" is a parser and has no place in a profile; it is enough in plugins',
        ),
        ("    []\n", 12, 'the profile "default" is empty'),
        ("  - pluginRef: q\n- name: default\n  plugins: [{pluginRef: q}]\n", 15, "two profiles"),
        ("  - pluginRef: q\n- plugins: [{pluginRef: q}]\n", 15, 'schedulingProfiles[1]: "name"'),
    ],
)
def test_a_profile_that_cannot_work_is_refused_with_its_line(
    references: str, line: int, said: str
) -> None:
    problems = refused(PLUGINS + references)
    assert problems[0][0] == line
    assert problems[0][1].startswith(said)


def test_several_profiles_need_somebody_to_choose() -> None:
    text = "  - pluginRef: q\n- name: other\n  plugins: [{pluginRef: q}]\n"
    said = "single-profile-handler serves one profile, and here are 2"
    assert refused(PLUGINS + text) == [(11, said)]


def test_there_is_one_profile_handler() -> None:
    text = """plugins:
- {type: queue-scorer}
- {type: single-profile-handler}
- {name: again, type: single-profile-handler}
"""
    assert refused(text) == [(6, "this is a second profile handler; there can be one")]


@pytest.mark.parametrize("plugins", ["", "plugins:\n", "plugins: [{type: openai-parser}]\n"])
def test_there_must_be_something_to_choose_by(plugins: str) -> None:
    ((_, said),) = refused(plugins)
    assert said == "no filter, scorer or picker: there is nothing to choose by"


def test_an_implied_profile_has_one_picker() -> None:
    text = "plugins:\n- type: queue-scorer\n- type: random-picker\n- type: max-score-picker\n"
    assert refused(text) == [(6, "this is a second picker; a profile has one")]


def test_a_reference_to_an_unknown_type_is_told_where_it_is_declared() -> None:
    text = """plugins:
- {name: q, type: queue-scorrer}
schedulingProfiles:
- {name: default, plugins: [{pluginRef: q, weight: 1}]}
"""
    assert [line for line, _ in refused(text)] == [4]
