"""Keep servers that are meant for prompts of this length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.context_range import LABEL, context_range
from epp.scheduling.decision import Exhausted
from epp.scheduling.ledger.workload import Workload
from epp.scheduling.producers.work_ledger import LEDGER
from epp.scheduling.query import Query
from epp.scheduling.registry import filters


@filters("context-length-filter")
class ContextLengthFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Keep the endpoints whose `label`, `min-max` in tokens, has the prompt's length in it, and
    those without the label.
    """

    exhausted: ClassVar[Exhausted] = Exhausted.NO_ENDPOINTS

    label: Annotated[str, msgspec.Meta(min_length=1)] = LABEL

    def needs(self) -> tuple[str, ...]:
        """Read the length of the prompt in the ledger."""
        return (LEDGER,)

    def keep(self, query: Query, endpoints: Sequence[Endpoint]) -> list[Endpoint]:
        """Drop those that are meant for others."""
        tokens = query.fact(LEDGER, Workload).prompt
        ranges = [context_range(e.labels.get(self.label)) for e in endpoints]
        return [e for e, r in zip(endpoints, ranges, strict=True) if r is None or tokens in r]
