"""What is charged for requests, and under which names the proxy is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from epp.costs.expression import CelError, Expression
from epp.costs.facts import Facts

NAMESPACE = "io.envoy.ai_gateway"

# AI Gateway's types, and where their numbers are
TYPES = {
    "InputToken": "input_tokens",
    "CachedInputToken": "cached_input_tokens",
    "CacheCreationInputToken": "cache_creation_input_tokens",
    "OutputToken": "output_tokens",
    "TotalToken": "total_tokens",
    "ReasoningToken": "reasoning_tokens",
}


class Cost(msgspec.Struct, frozen=True):
    """One cost: the count of a type, or an expression."""

    key: str
    type: str = ""
    expression: Expression | None = None

    def of(self, facts: Facts) -> float:
        """Return the cost; CelError if the expression comes to none."""
        if self.expression is not None:
            return self.expression.of(facts)
        count: int = getattr(facts, TYPES[self.type])
        return count


class CostSheet(msgspec.Struct, frozen=True):
    """All costs of a request."""

    costs: Sequence[Cost]
    namespace: str = NAMESPACE

    def metadata(
        self,
        facts: Facts,
        more: Mapping[str, str | float],
        failed: Callable[[str, CelError], None],
    ) -> dict[str, Mapping[str, str | float]]:
        """Return the metadata that charges a request; a cost that fails is left out."""
        values: dict[str, str | float] = dict(more)
        for cost in self.costs:
            try:
                values[cost.key] = cost.of(facts)
            except CelError as error:
                failed(cost.key, error)
        return {self.namespace: values}
