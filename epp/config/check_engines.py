"""The block `engines`: names."""

from __future__ import annotations

from epp.config.findings import Findings
from epp.pool.engine_names import ENGINE_NAMES


def check_engines(findings: Findings) -> None:
    """Say which names are taken."""
    lines: dict[str, int] = {}
    for i, spec in enumerate(findings.config.engines):
        if spec.name in ENGINE_NAMES:
            findings.say(f'the engine "{spec.name}" is built in; take another name', *_at(i))
        elif spec.name in lines:
            text = f'two engines are called "{spec.name}" (first on line {lines[spec.name]})'
            findings.say(text, *_at(i))
        lines.setdefault(spec.name, findings.root.at(*_at(i)).line)


def _at(i: int) -> tuple[str | int, ...]:
    return ("engines", i, "name")
