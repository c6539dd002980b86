"""A clean sample, and mistakes in it whose lines are marked."""

from __future__ import annotations

import re
from pathlib import Path

from epp.manifests.lint.check import check
from epp.manifests.lint.objects import objects_in
from epp.manifests.lint.rule import Finding

CLEAN = (Path(__file__).parents[2] / "data" / "lint" / "clean.yaml").read_text()
_MARK = re.compile(r"# (here|also (?P<rule>[a-z-]+))$", re.MULTILINE)


def plant(*edits: tuple[str, str]) -> str:
    """The clean sample with each first text, which is there once, replaced by the second."""
    text = CLEAN
    for old, new in edits:
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        text = text.replace(old, new)
    return text


def findings(text: str) -> list[Finding]:
    contents = objects_in("sample.yaml", text.encode())
    assert contents.unreadable == (), contents.unreadable
    return check(contents.objects)


def found(text: str) -> list[tuple[str, int]]:
    """The rules that something breaks, and the lines."""
    return [(finding.rule, finding.line) for finding in findings(text)]


def marked(text: str, rule: str) -> list[tuple[str, int]]:
    """What is to be found: `rule` on each line that says so, and others where they are named."""
    return [
        (mark["rule"] or rule, text.count("\n", 0, mark.start()) + 1)
        for mark in _MARK.finditer(text)
    ]
