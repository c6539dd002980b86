"""Keep endpoints by their labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Exhausted
from epp.scheduling.query import Query
from epp.scheduling.registry import filters


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One of `matchExpressions`, with the meaning that Kubernetes gives it."""

    key: Annotated[str, msgspec.Meta(min_length=1)]
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wants_values = self.operator in {"In", "NotIn"}
        if wants_values and not self.values:
            raise ValueError(f"{self.operator} of {self.key!r} needs values")
        if self.values and not wants_values:
            raise ValueError(f"{self.operator} of {self.key!r} takes no values")

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Say whether `labels` meet this requirement."""
        value = labels.get(self.key)
        return {
            "In": value in self.values,
            "NotIn": value not in self.values,  # also without the label
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }[self.operator]


@filters("label-selector-filter")
class LabelSelectorFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Keep the endpoints whose labels match all of a Kubernetes label selector."""

    exhausted: ClassVar[Exhausted] = Exhausted.NO_ENDPOINTS

    match_labels: dict[str, str] = {}
    match_expressions: tuple[Requirement, ...] = ()

    def needs(self) -> tuple[str, ...]:
        """Read no facts."""
        return ()

    def keep(self, query: Query, endpoints: Sequence[Endpoint]) -> list[Endpoint]:
        """Return those that match."""
        return [e for e in endpoints if self._matches(e.labels)]

    def _matches(self, labels: Mapping[str, str]) -> bool:
        return all(labels.get(k) == v for k, v in self.match_labels.items()) and all(
            requirement.matches(labels) for requirement in self.match_expressions
        )
