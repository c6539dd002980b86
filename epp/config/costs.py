"""`llmRequestCosts` in the configuration: AI Gateway's block, under its names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from epp.costs.expression import Expression
from epp.costs.sheet import Cost, CostSheet

CEL = "CEL"
MAX_COSTS = 36  # AI Gateway's


class CostSpec(msgspec.Struct, frozen=True, rename="camel"):
    """What to charge, and the metadata that it is told in."""

    metadata_key: str
    type: Literal[
        "InputToken",
        "CachedInputToken",
        "CacheCreationInputToken",
        "OutputToken",
        "TotalToken",
        "ReasoningToken",
        "CEL",
    ]
    cel: str = ""


def cost_sheet(specs: Sequence[CostSpec], namespace: str) -> CostSheet | None:
    """Return the sheet of checked `specs`; None where nothing is charged."""
    return CostSheet([_cost(spec) for spec in specs], namespace) if specs else None


def _cost(spec: CostSpec) -> Cost:
    if spec.type == CEL:
        return Cost(spec.metadata_key, expression=Expression(spec.cel))
    return Cost(spec.metadata_key, spec.type)
