"""Which plugin types there are."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from epp.openai import apis
from epp.scheduling import catalogue, registry

PLACED = frozenset({"filter", "scorer", "picker"})  # the kinds that a profile refers to
PARSER = "parser"
PARSERS = frozenset(apis.PARSERS)  # rows of a table, not classes of a registry


@functools.cache
def register_all() -> None:
    """Fill the registries: the picker's own plugins and those of installed packages."""
    catalogue.load_builtin()
    registry.load_entry_points()


def kind_of(type_name: str) -> str | None:
    """Return "scorer", "picker", ... or None for a type that does not exist."""
    if type_name in PARSERS:
        return PARSER
    found = registry.kind_of(type_name)
    return found.kind if found else None


def type_names() -> Iterator[str]:
    """Return every type name, of all kinds."""
    yield from PARSERS
    for kind in registry.KINDS:
        yield from kind.names()


def needs_of(type_name: str, parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the producers that such a plugin reads; its parameters must fit."""
    for kind in (registry.filters, registry.scorers):
        if type_name in kind:
            return kind.make(type_name, parameters).needs()
    return ()
