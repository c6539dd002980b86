"""Objects to findings."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from epp.manifests.lint.manifest import Manifest
from epp.manifests.lint.manifests import Manifests
from epp.manifests.lint.rule import Finding, Rule
from epp.manifests.lint.table import RULES


def check(
    objects: Iterable[Manifest], *, ignore: Collection[str] = (), rules: Iterable[Rule] = RULES
) -> list[Finding]:
    """Return what is wrong with `objects`, which are to be applied together, by file and line."""
    manifests = Manifests(objects)
    found = {
        Finding(spot.file, spot.line, rule.severity, rule.id, spot.text, rule.remedy)
        for rule in rules
        if rule.id not in ignore
        for spot in rule.find(manifests)
    }
    return in_order(found)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return `findings` by file, line and rule."""
    return sorted(findings, key=lambda f: (f.file, f.line, f.rule, f.message))
