"""Routes, their rules and the backends of those."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from epp.document.node import Node
from epp.manifests.lint.look import find, items, text
from epp.manifests.lint.manifest import Manifest, Spot


class Backend(msgspec.Struct, frozen=True, eq=False):
    """One of a rule's `backendRefs`."""

    route: Route
    node: Node

    @property
    def is_pool(self) -> bool:
        """Tell whether an InferencePool is meant, in whatever group."""
        return text(self.node, "kind") == "InferencePool"

    @property
    def name(self) -> str:
        """Return the name of what it refers to."""
        return text(self.node, "name")

    @property
    def namespace(self) -> str:
        """Return the namespace of what it refers to."""
        return text(self.node, "namespace") or self.route.manifest.namespace

    def spot(self, wrong: str, *path: str) -> Spot:
        """Return the place of what is at the end of `path` in it."""
        return self.route.manifest.spot(self.node.at(*path), wrong)


class RouteRule(msgspec.Struct, frozen=True, eq=False):
    """One of a route's `rules`."""

    route: Route
    node: Node

    @property
    def backends(self) -> list[Backend]:
        """Return its backends."""
        return [Backend(self.route, node) for node in items(self.node, "backendRefs")]

    @property
    def pools(self) -> list[Backend]:
        """Return those of its backends that are pools."""
        return [backend for backend in self.backends if backend.is_pool]

    @property
    def matches(self) -> list[Node]:
        """Return its matches; without any it takes every request."""
        return items(self.node, "matches")

    def spot(self, wrong: str, *path: str | int) -> Spot:
        """Return the place of what is at the end of `path` in it."""
        return self.route.manifest.spot(self.node.at(*path), wrong)


class Route(msgspec.Struct, frozen=True, eq=False):
    """An AIGatewayRoute or an HTTPRoute."""

    manifest: Manifest

    @property
    def is_ai(self) -> bool:
        """Tell whether it is an AIGatewayRoute."""
        return self.manifest.kind == "AIGatewayRoute"

    @property
    def rules(self) -> list[RouteRule]:
        """Return its rules."""
        return [RouteRule(self, node) for node in items(self.manifest.root, "spec", "rules")]

    @property
    def gateways(self) -> list[str]:
        """Return the names of the Gateways that it is attached to, each once."""
        parents = items(self.manifest.root, "spec", "parentRefs")
        return list(dict.fromkeys(name for parent in parents if (name := text(parent, "name"))))


def header_matches(match: Node) -> Iterator[tuple[str, str, str]]:
    """Yield type, name and value of each header that `match` asks for."""
    for header in items(match, "headers"):
        value = find(header, "value")
        shown = "" if value is None else str(value.value)
        yield text(header, "type") or "Exact", text(header, "name").lower(), shown
