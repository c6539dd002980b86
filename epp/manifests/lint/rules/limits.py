"""How much fits into a route."""

from __future__ import annotations

from collections.abc import Iterator

from epp.manifests.lint.look import items
from epp.manifests.lint.manifest import Spot
from epp.manifests.lint.manifests import Manifests
from epp.manifests.names import MAX_RULES

_MAX_IN_RULE = 128
_MAX_HEADERS = 16


def too_many_rules(manifests: Manifests) -> Iterator[Spot]:
    """An AIGatewayRoute has more than 15 rules."""
    for route in manifests.routes:
        if route.is_ai and len(route.rules) > MAX_RULES:
            first = route.rules[MAX_RULES]
            yield first.spot(f"{len(route.rules)} rules, this is the first above {MAX_RULES}")


def too_many_matches(manifests: Manifests) -> Iterator[Spot]:
    """An AIGatewayRoute's rule has more than 128 matches."""
    yield from _too_many(manifests, "matches")


def too_many_backends(manifests: Manifests) -> Iterator[Spot]:
    """An AIGatewayRoute's rule has more than 128 backends."""
    yield from _too_many(manifests, "backendRefs")


def _too_many(manifests: Manifests, name: str) -> Iterator[Spot]:
    for route in manifests.routes:
        for rule in route.rules if route.is_ai else ():
            number = len(items(rule.node, name))
            if number > _MAX_IN_RULE:
                text = f"{number} {name} in a rule, this is the first above {_MAX_IN_RULE}"
                yield rule.spot(text, name, _MAX_IN_RULE)


def too_many_headers(manifests: Manifests) -> Iterator[Spot]:
    """A match has more than 16 headers."""
    for route in manifests.routes:
        for rule in route.rules:
            for match in rule.matches:
                headers = items(match, "headers")
                if len(headers) > _MAX_HEADERS:
                    text = (
                        f"{len(headers)} headers in a match, this is the first above {_MAX_HEADERS}"
                    )
                    yield route.manifest.spot(headers[_MAX_HEADERS], text)
