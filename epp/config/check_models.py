"""Whether the model table says one thing about each name."""

from __future__ import annotations

from collections.abc import Iterator

from epp.config.findings import Findings
from epp.config.models import ModelSpec
from epp.openai.model import invalid_model


def check_models(findings: Findings) -> None:
    """Say which names are none, and which stand for two models."""
    spec = findings.config.models
    owners: dict[str, str] = {}
    for i, one in enumerate(spec.table if spec is not None else ()):
        for name, *place in _named(one):
            where = ("models", "table", i, *place)
            if not name or invalid_model(name):
                findings.say("a model's name is 1 to 256 bytes without control characters", *where)
            elif place[0] != "targets" and name in owners:
                findings.say(f'"{name}" is already a name of the model "{owners[name]}"', *where)
            elif place[0] != "targets":
                owners[name] = one.name


def _named(spec: ModelSpec) -> Iterator[tuple[str, str] | tuple[str, str, int]]:
    """Yield each name in `spec`, and where it stands."""
    yield spec.name, "name"
    for field, names in (("aliases", spec.aliases), ("adapters", spec.adapters)):
        for i, name in enumerate(names):
            yield name, field, i
    for i, target in enumerate(spec.targets):
        yield target.model, "targets", i
