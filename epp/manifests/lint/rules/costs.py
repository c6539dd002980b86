"""What a route counts, and which budgets are paid with it."""

from __future__ import annotations

from collections.abc import Iterator

from epp.document.problem import did_you_mean
from epp.manifests.lint.look import items, text
from epp.manifests.lint.manifest import Spot
from epp.manifests.lint.manifests import Manifests

_TYPES = (
    "InputToken",
    "CachedInputToken",
    "CacheCreationInputToken",
    "OutputToken",
    "TotalToken",
    "ReasoningToken",
    "CEL",
)
_NAMESPACE = "io.envoy.ai_gateway"
_COSTS = ("spec", "llmRequestCosts")
_METADATA = ("cost", "response", "metadata")


def cost_type(manifests: Manifests) -> Iterator[Spot]:
    """A cost is of a type that there is not, or of the type CEL without an expression."""
    for route in manifests.routes:
        for cost in items(route.manifest.root, *_COSTS):
            kind = text(cost, "type")
            if kind not in _TYPES:
                hint = did_you_mean(kind, _TYPES)
                wrong = f'there is no cost of the type "{kind}"{hint}'
                yield route.manifest.spot(cost.at("type"), wrong)
            elif kind == "CEL" and not text(cost, "cel"):
                yield route.manifest.spot(cost, "a cost of the type CEL without cel")


def cost_unknown(manifests: Manifests) -> Iterator[Spot]:
    """A rate limit is paid with a cost that no given AIGatewayRoute counts: it never fills up."""
    counted = {
        text(cost, "metadataKey")
        for manifest in manifests.of("AIGatewayRoute", "GatewayConfig")
        for name in ("llmRequestCosts", "globalLLMRequestCosts")
        for cost in items(manifest.root, "spec", name)
    }
    for policy in manifests.of("BackendTrafficPolicy") if counted else ():
        for rule in items(policy.root, "spec", "rateLimit", "global", "rules"):
            key = text(rule, *_METADATA, "key")
            if text(rule, *_METADATA, "namespace") == _NAMESPACE and key not in counted:
                hint = did_you_mean(key, counted)
                yield policy.spot(rule.at(*_METADATA, "key"), f'no route counts "{key}"{hint}')
