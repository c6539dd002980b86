from __future__ import annotations

import pytest

from epp.config.lint import lint
from epp.config.load import default, load
from tests.config.refusal import HEAD

ONE_PROFILE = "schedulingProfiles: [{name: p, plugins: [{pluginRef: queue-scorer}]}]\n"


def warnings(text: str) -> tuple[str, ...]:
    return lint(load(HEAD + text, "epp.yaml"))


def test_the_default_is_above_suspicion() -> None:
    assert lint(default()) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "plugins: [{type: queue-scorer}, {name: l, type: load-aware-scorer}]\n" + ONE_PROFILE,
            'the scorer "l" has no effect: no profile refers to it',
        ),
        (
            "plugins: [{type: queue-scorer}, {type: label-selector-filter}]\n" + ONE_PROFILE,
            'the filter "label-selector-filter" has no effect: no profile refers to it',
        ),
        (
            "plugins: [{type: queue-scorer}, {type: openai-parser}]\n",
            'the parser "openai-parser" has no effect: requestHandler.parsers lacks it',
        ),
        (
            "plugins: [{type: queue-scorer}]\nmodels: {unknown: refuse}\n",
            "models.unknown is refuse without a table: only what the servers tell of is served",
        ),
        (
            "plugins: [{type: queue-scorer}, {type: inflight-load-producer}]\n",
            'the producer "inflight-load-producer" has no effect: nobody reads it',
        ),
        (
            "plugins: [{type: prefix-cache-scorer},"
            " {name: mine, type: approx-prefix-cache-producer}]\n",
            'the producer "mine" has no effect: nobody reads it; "prefix-cache-scorer" reads '
            'another one, "approx-prefix-cache-producer"',
        ),
        (
            "plugins: [{type: queue-scorer}]\nschedulingProfiles:\n"
            "- {name: p, plugins: [{pluginRef: queue-scorer, weight: 0}]}\n",
            '"max-score-picker" in the profile "p" chooses at random: all weights are 0',
        ),
        (
            "plugins: [{type: label-selector-filter}]\n",
            '"max-score-picker" in the profile "default" chooses at random: there is no scorer',
        ),
        (
            "plugins: [{type: queue-scorer}, {type: random-picker}]\n",
            'the scorers in the profile "default" have no effect: "random-picker" does not look '
            "at scores",
        ),
        (
            "plugins: [{type: queue-scorer}, {type: load-aware-scorer}]\nschedulingProfiles:\n"
            "- {name: p, plugins: [{pluginRef: queue-scorer},"
            " {pluginRef: load-aware-scorer, weight: 0}]}\n",
            'the scorer "load-aware-scorer" in the profile "p" has no effect: its weight is 0',
        ),
    ],
)
def test_what_can_hardly_be_meant_is_a_warning(text: str, said: str) -> None:
    assert warnings(text) == (said,)


def test_chance_that_is_asked_for_is_no_warning() -> None:
    assert warnings("plugins: [{type: random-picker}]\n") == ()
