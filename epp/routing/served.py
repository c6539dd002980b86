"""What the endpoints of a pool say that they serve."""

from __future__ import annotations

from collections.abc import Iterable

from epp.pool.endpoint import Endpoint


def served(endpoints: Iterable[Endpoint]) -> set[str] | None:
    """Return every model, and LoRA adapter, that an endpoint names; None if none says anything."""
    said = [names for endpoint in endpoints if (names := _names(endpoint)) is not None]
    return set().union(*said) if said else None


def is_served(model: str, endpoints: Iterable[Endpoint]) -> bool:
    """Tell whether an endpoint says that it serves `model`."""
    return any(model in (_names(endpoint) or ()) for endpoint in endpoints)


def _names(endpoint: Endpoint) -> frozenset[str] | None:
    load = endpoint.load
    if load is None:
        return None
    if load.loras is None:
        return load.models
    adapters = load.loras.running | load.loras.waiting
    return adapters | load.models if load.models is not None else adapters or None
