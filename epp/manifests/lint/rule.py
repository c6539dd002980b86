"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from epp.manifests.lint.manifest import Spot
from epp.manifests.lint.manifests import Manifests

Severity = Literal["error", "warning"]
ERROR: Severity = "error"
WARNING: Severity = "warning"


class Rule(msgspec.Struct, frozen=True):
    """Something that can be wrong; `find` yields where it is."""

    id: str
    severity: Severity
    find: Callable[[Manifests], Iterator[Spot]]
    remedy: str

    @property
    def summary(self) -> str:
        """Return what is wrong, in a sentence or two."""
        return " ".join((self.find.__doc__ or "").split())


class Finding(msgspec.Struct, frozen=True):
    """Something that is wrong."""

    file: str
    line: int
    severity: Severity
    rule: str
    message: str
    remedy: str
