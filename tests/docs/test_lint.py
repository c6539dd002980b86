"""docs/lint.md lists the rules of `epp lint`, and its options."""

from __future__ import annotations

import typer

from epp.cli.main import app
from epp.manifests.lint.table import RULES
from tests.docs.pages import DOCS, code, rows

PAGE = DOCS / "lint.md"


def test_the_rules_in_the_page_are_those_of_the_table() -> None:
    table = rows(PAGE, "Rule", "", "What is wrong", "What to do")

    assert table == [[f"`{rule.id}`", rule.severity, rule.summary, rule.remedy] for rule in RULES]


def test_the_options_in_the_page_are_those_of_the_command() -> None:
    lint = typer.main.get_command(app).commands["lint"]  # type: ignore[attr-defined]
    options = {option.opts[0] for option in lint.params if option.opts[0].startswith("--")}

    assert {code(row[0])[0].split()[0] for row in rows(PAGE, "Option", "")} == options - {"--help"}
