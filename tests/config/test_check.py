from __future__ import annotations

import pytest

from epp.config.load import load
from tests.config.refusal import HEAD, refused

SCORER = "plugins: [{type: queue-scorer}]\n"


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("haPopulateNonLeaderDatastore", "is not supported by this picker yet"),
        ("flowcontrol", 'is unknown; did you mean "flowControl"?'),
    ],
)
def test_a_feature_that_is_not_there_cannot_be_switched_on(gate: str, said: str) -> None:
    ((line, told),) = refused(SCORER + f"featureGates:\n- flowControl=false\n- {gate}\n")
    assert line == 6
    assert said in told


def test_a_feature_that_is_not_there_can_be_switched_off() -> None:
    config = load(HEAD + SCORER + "featureGates: [flowControl=false]\n", "x")
    assert config.feature_gates == ("flowControl=false",)


@pytest.mark.parametrize(
    ("parser", "said"),
    [
        ("opnai-parser", 'no plugin is called "opnai-parser"; did you mean "openai-parser"?'),
        ("sglanghttp-parser", "sglanghttp-parser is not supported by this picker yet; remove it"),
        ("queue-scorer", '"queue-scorer" is a scorer, not a parser'),
        ("random-picker", '"random-picker" is a picker, not a parser'),
    ],
)
def test_a_parser_must_be_one(parser: str, said: str) -> None:
    text = f"requestHandler:\n  parsers:\n  - pluginRef: openai-parser\n  - pluginRef: {parser}\n"
    assert refused(SCORER + text) == [(7, said)]


def test_a_parser_of_an_unknown_type_is_told_once() -> None:
    text = """plugins:
- {type: queue-scorer}
- {name: p, type: openai-parsr}
requestHandler: {parsers: [{pluginRef: p}]}
"""
    said = 'there is no plugin type "openai-parsr"; did you mean "openai-parser"?'
    assert refused(text) == [(5, said)]
