"""Which plugins there are, told by the code itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import structs

from epp.scheduling import filters, handlers, pickers, producers, scorers
from epp.scheduling.parameter_type import type_text
from epp.scheduling.registry import KINDS, Registry, load_package


class Parameter(msgspec.Struct, frozen=True):
    """One parameter, as it is written in a configuration file."""

    name: str
    type: str
    default: str  # as JSON; empty if it must be given


class Entry(msgspec.Struct, frozen=True):
    """One plugin."""

    kind: str
    name: str
    summary: str
    parameters: tuple[Parameter, ...]


def load_builtin() -> None:
    """Register the plugins of this package."""
    for package in (filters, scorers, pickers, producers, handlers):
        load_package(package)


def entries() -> Iterator[Entry]:
    """Describe every registered plugin, by kind and name."""
    for kind in KINDS:
        for name in kind.names():
            yield _entry(kind, name)


def _entry(kind: Registry[Any], name: str) -> Entry:
    paragraph = (inspect.getdoc(kind.get(name)) or "").partition("\n\n")[0]
    return Entry(
        kind.kind,
        name,
        " ".join(paragraph.split()),
        tuple(_parameter(field) for field in structs.fields(kind.parameters(name))),
    )


def _parameter(field: structs.FieldInfo) -> Parameter:
    default = field.default
    if field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    text = "" if default is msgspec.NODEFAULT else msgspec.json.encode(default).decode()
    return Parameter(field.encode_name, type_text(field.type), text)
