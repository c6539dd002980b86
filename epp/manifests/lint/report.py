"""Findings as text."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from epp.manifests.lint.rule import Finding


def as_lines(findings: Sequence[Finding]) -> str:
    """Return one finding a line, as editors and compilers know it."""
    return "".join(f"{_line(finding)}\n" for finding in findings)


def as_json(findings: Sequence[Finding]) -> str:
    """Return a list of objects."""
    return msgspec.json.format(msgspec.json.encode(findings), indent=2).decode() + "\n"


def summary(findings: Sequence[Finding], objects: int) -> str:
    """Say in one line what came out."""
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = len(findings) - errors
    return f"{_count(objects, 'object')}: {_count(errors, 'error')}, {_count(warnings, 'warning')}"


def _line(finding: Finding) -> str:
    f = finding
    message = f"{f.file}:{f.line}: {f.severity} {f.rule}: {f.message} ({f.remedy})"
    # Messages quote the file, and a quote must neither begin a line nor command the terminal.
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
