"""Whether the costs can be computed, and told apart."""

from __future__ import annotations

from epp.config.costs import CEL, MAX_COSTS, CostSpec
from epp.config.findings import Findings
from epp.costs.expression import CelError, Expression


def check_costs(findings: Findings) -> None:
    """Say which costs cannot be used."""
    costs = findings.config.llm_request_costs
    if len(costs) > MAX_COSTS:
        findings.say(f"there can be {MAX_COSTS} costs", "llmRequestCosts")
    if not findings.config.llm_request_costs_namespace:
        findings.say("a namespace has a name", "llmRequestCostsNamespace")
    keys: set[str] = set()
    for i, spec in enumerate(costs):
        if why := _key(spec.metadata_key, keys):
            findings.say(why, "llmRequestCosts", i, "metadataKey")
        keys.add(spec.metadata_key)
        if why := _expression(spec):
            findings.say(why, "llmRequestCosts", i, "cel" if spec.cel else "type")


def _key(key: str, keys: set[str]) -> str | None:
    if not key or ":" in key:  # %DYNAMIC_METADATA(namespace:key)% takes a colon for a path
        return "a metadataKey has a name without a colon"
    return f'there is a cost with the metadataKey "{key}" already' if key in keys else None


def _expression(spec: CostSpec) -> str | None:
    if spec.type != CEL:
        return f"a cost of the type {spec.type} has no expression" if spec.cel else None
    if not spec.cel:
        return "a cost of the type CEL needs an expression: cel"
    try:
        Expression(spec.cel)
    except CelError as error:
        return f"the expression: {error}"
    return None
