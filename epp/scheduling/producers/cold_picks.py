"""Which endpoint was the last to get a prompt that nobody had cached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Decision, Outcome
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.producers.approx_prefix_cache import APPROX_PREFIX
from epp.scheduling.query import Query
from epp.scheduling.registry import producers

COLD_PICKS = "cold-picks-producer"


class ColdPicks(msgspec.Struct, frozen=True):
    """Endpoints by how long ago they got such a prompt, longest first; never is not in it."""

    order: Mapping[str, None] = {}


@producers(COLD_PICKS)
class ColdPicksProducer:
    """Remembers the order in which endpoints got prompts of which no endpoint had a beginning."""

    class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
        """Whose matches say that a prompt is cached nowhere."""

        prefix_match_info_producer_name: str = APPROX_PREFIX

    def __init__(self, parameters: Parameters) -> None:
        self._matches = parameters.prefix_match_info_producer_name
        self._order: dict[str, None] = {}

    def __repr__(self) -> str:
        return f"<ColdPicksProducer {len(self._order)} endpoints>"

    def produce(self, query: Query, endpoints: Sequence[Endpoint]) -> ColdPicks:
        """Return the order as it is now."""
        return ColdPicks(self._order.copy())

    def reserve(self, query: Query, decision: Decision, fact: ColdPicks) -> None:
        """Put the winner last, if the prompt was cached nowhere."""
        matches = query.facts.get(self._matches)
        if isinstance(matches, PrefixMatches) and matches.matched:
            return
        address = decision.winner.address
        self._order.pop(address, None)
        self._order[address] = None

    def release(
        self, query: Query, decision: Decision, held: None, outcome: Outcome, now: float
    ) -> None:
        """Do nothing: the order is that of the picks."""

    def forget(self, endpoint: Endpoint) -> None:
        """Take the endpoint out."""
        self._order.pop(endpoint.address, None)
