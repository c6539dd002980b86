"""`models` in the configuration: the names that clients use, and what serves them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

import msgspec

from epp.routing.models import ModelEntry, ModelTable
from epp.routing.split import MAX_WEIGHT, Split

Share = Annotated[int, msgspec.Meta(ge=1, le=MAX_WEIGHT)]


class TargetSpec(msgspec.Struct, frozen=True, rename="camel"):
    """A model of the servers, and its share of the conversations."""

    model: str
    weight: Share = 1


class ModelSpec(msgspec.Struct, frozen=True, rename="camel"):
    """One model under all its names."""

    name: str
    aliases: tuple[str, ...] = ()
    adapters: tuple[str, ...] = ()  # LoRA adapters of it, by the names that the servers know
    targets: tuple[TargetSpec, ...] = ()  # what the servers call it; none: as it is named
    endpoint_labels: Mapping[str, str] = {}


class ModelsSpec(msgspec.Struct, frozen=True, rename="camel"):
    """The block. Without it, every model is the servers' affair."""

    table: tuple[ModelSpec, ...] = ()
    unknown: Literal["pass", "refuse"] = "pass"
    clear_route_cache: bool = False
    list_models: bool = True


def model_table(spec: ModelsSpec | None) -> ModelTable:
    """Return the table that requests are looked up in."""
    if spec is None:
        return ModelTable()
    entries = {name: entry for one in spec.table for name, entry in _entries(one)}
    return ModelTable(entries, spec.unknown == "refuse", spec.clear_route_cache, spec.list_models)


def _entries(spec: ModelSpec) -> Iterator[tuple[str, ModelEntry]]:
    labels, split = dict(spec.endpoint_labels), _split(spec)
    yield spec.name, ModelEntry(split, labels)
    served = split or Split({spec.name: 1})
    for alias in spec.aliases:
        yield alias, ModelEntry(served, labels)
    for adapter in spec.adapters:
        yield adapter, ModelEntry(None, labels, parent=spec.name)


def _split(spec: ModelSpec) -> Split | None:
    weights: dict[str, int] = {}
    for target in spec.targets:
        weights[target.model] = weights.get(target.model, 0) + target.weight
    return Split(weights) if weights else None
