"""Which requests a rule takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from epp.document.node import Node
from epp.manifests.lint.look import members
from epp.manifests.lint.manifest import Spot
from epp.manifests.lint.manifests import Manifests
from epp.manifests.lint.route import header_matches
from epp.manifests.names import MODEL_HEADER


def pool_matched_twice(manifests: Manifests) -> Iterator[Spot]:
    """Several matches of one Gateway lead to the same pool: Envoy asks its picker once for each,
    for every request."""
    places: dict[tuple[str, str, str], list[Spot]] = defaultdict(list)
    for route in manifests.routes:
        for rule in route.rules:
            for pool in rule.pools:
                for match in rule.matches or [pool.node]:
                    spot = route.manifest.spot(match, "")
                    for gateway in route.gateways or [""]:
                        places[gateway, pool.namespace, pool.name].append(spot)
    for (_, _, name), spots in places.items():
        if len(spots) > 1:
            first, second = spots[:2]
            text = (
                f'{len(spots)} matches lead to the pool "{name}" (the first: {first.file}:'
                f"{first.line}), so its picker is asked {len(spots)} times for each request"
            )
            yield Spot(second.file, second.line, text)


def same_match_twice(manifests: Manifests) -> Iterator[Spot]:
    """Two matches of a route ask for the same, for example the same model: the second never
    applies."""
    for route in manifests.routes:
        seen: dict[object, Node] = {}
        for rule in route.rules:
            for match in rule.matches:
                wanted = _wanted(match)
                if wanted in seen:
                    text = f"the same is matched on line {seen[wanted].line} already"
                    yield route.manifest.spot(match, text)
                seen.setdefault(wanted, match)


def _wanted(match: Node) -> object:
    # Headers in any order; of the rest, whatever it is, only the same is the same.
    others = {name: node.plain() for name, node in members(match).items() if name != "headers"}
    return frozenset(header_matches(match)), repr(others)


def model_header_unset(manifests: Manifests) -> Iterator[Spot]:
    """An HTTPRoute matches `x-ai-eg-model`, which only an AIGatewayRoute fills from the body: the
    rule applies only to clients that send the header themselves."""
    for route in manifests.routes:
        for rule in () if route.is_ai else route.rules:
            for match in rule.matches:
                if rule.pools and MODEL_HEADER in {name for _, name, _ in header_matches(match)}:
                    yield route.manifest.spot(
                        match, f"on an HTTPRoute nothing sets {MODEL_HEADER} before the match"
                    )
