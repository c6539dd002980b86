"""The models that a pool serves, under the names that clients use: the model table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from epp.pool.endpoint import Endpoint
from epp.routing.split import Split


class ModelEntry(msgspec.Struct, frozen=True):
    """What one name stands for."""

    served: Split | None = None  # None: the servers know it under this name
    labels: Mapping[str, str] = {}  # of the endpoints that may serve it; empty: all of them
    parent: str = ""  # the base model of a LoRA adapter


class ModelTable(msgspec.Struct, frozen=True):
    """Names to entries, and what is done about the others."""

    entries: Mapping[str, ModelEntry] = {}
    refuse_unknown: bool = False
    clear_route_cache: bool = False  # have the proxy choose its route by the model's header
    list_models: bool = False  # answer GET /v1/models here

    @property
    def models(self) -> set[str]:
        """Every model that is named, asked for or served."""
        splits = [entry.served for entry in self.entries.values() if entry.served is not None]
        return {*self.entries, *(model for split in splits for model in split.weights)}

    def target(self, model: str, conversation: Callable[[], str]) -> str | None:
        """Return the model that serves requests for `model`; None: itself.

        `conversation` is asked only where there is a choice.
        """
        entry = self.entries.get(model)
        if entry is None or entry.served is None:
            return None
        return entry.served.choose_for(conversation)

    def labels(self, model: str, target: str) -> Mapping[str, str]:
        """Return the labels that an endpoint must have: the target's own, else the model's."""
        entry = self.entries.get(target) or self.entries.get(model)
        return {} if entry is None else entry.labels


def having(labels: Mapping[str, str], endpoints: Iterable[Endpoint]) -> Iterator[Endpoint]:
    """Yield the endpoints that have each of `labels`."""
    for endpoint in endpoints:
        if labels.items() <= endpoint.labels.items():
            yield endpoint
