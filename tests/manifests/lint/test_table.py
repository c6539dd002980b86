from __future__ import annotations

import re

import pytest

from epp.manifests.lint.table import RULES
from tests.manifests.lint.mistakes import MISTAKES
from tests.manifests.lint.planted import CLEAN, found, marked, plant


def test_nothing_is_found_in_the_clean_sample() -> None:
    assert found(CLEAN) == []


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake[0])
def test_a_mistake_is_found_on_its_line_and_nothing_else(mistake: tuple[str, ...]) -> None:
    rule, *edits = mistake
    text = plant(*zip(edits[::2], edits[1::2], strict=True))

    assert found(text) == marked(text, rule) != []


def test_there_is_a_mistake_for_every_rule() -> None:
    assert {rule for rule, *_ in MISTAKES} == {rule.id for rule in RULES}


def test_every_rule_has_a_name_of_its_own_and_says_what_is_wrong_and_what_to_do() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.id)
        assert rule.summary.endswith(".")
        assert rule.remedy
        assert not rule.remedy.endswith(".")


def test_a_rule_is_called_like_the_function_that_finds_it() -> None:
    assert [rule.id for rule in RULES] == [r.find.__name__.replace("_", "-") for r in RULES]
