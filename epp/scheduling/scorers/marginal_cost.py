"""Prefer the server at which the request costs the least time, its own and that of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from xxhash import xxh3_64_intdigest

from epp.pool.endpoint import Endpoint
from epp.scheduling.cheapness import Cheapness
from epp.scheduling.cost.basis import Basis, basis_of
from epp.scheduling.cost.marginal import PARTS, MarginalCost, Prices
from epp.scheduling.decision import Scores
from epp.scheduling.ledger.workload import Workload
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.producers.approx_prefix_cache import APPROX_PREFIX
from epp.scheduling.producers.work_ledger import LEDGER
from epp.scheduling.query import Query
from epp.scheduling.readings import fewest_best, free_kv_cache, readings
from epp.scheduling.registry import scorers

_TOLD = 3  # parts of a cost, in words
_NOT_BY_COST = {Basis.LOAD.value, Basis.TWO_CHOICES.value, Basis.METRICS.value}
_Price = Annotated[float, msgspec.Meta(ge=0.0)]


class CostDetails(msgspec.Struct, frozen=True):
    """Where the scores of one decision come from."""

    basis: str
    cost: MarginalCost
    endpoints: Sequence[Endpoint]

    def terms(self, index: int) -> Mapping[str, float]:
        """Return the parts of one candidate's cost, whether or not the choice went by them."""
        return self.cost.terms(self.endpoints[index])

    def words(self, index: int) -> str:
        """Say the milliseconds that one candidate costs and what they are, the most first."""
        if self.basis in _NOT_BY_COST:
            return ""
        terms = self.terms(index)
        parts = sorted(((terms[part] * 1000, part) for part in PARTS), reverse=True)
        most = [f"{part.removesuffix('_s')} {ms:.0f}" for ms, part in parts[:_TOLD] if ms >= 0.5]
        cached = terms["cached_tokens"] / max(1.0, terms["prompt_tokens"])
        return f"{sum(ms for ms, _ in parts):.0f} ms: {', '.join(most)}; {cached:.0%} cached"


@scorers("marginal-cost-scorer")
class MarginalCostScorer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Score by the seconds that the request costs: 1 where it costs least, 0 where most.

    The cost is the predicted time to the first token, what the prefill takes from later requests
    (`pressureWeight`, the more the busier the fleet is) and from those that decode there
    (`stallWeight`), a share of the request's own decoding (`outputWeight`), the wait for KV memory,
    `loadSeconds` at a server that tells which models it has in memory, without this one, and
    `silenceSeconds` at one whose metrics have died. Where something is missing for that, the next
    best measure is used, and the decision says which.
    """

    pressure_weight: _Price = 3.0
    stall_weight: _Price = 0.05
    output_weight: _Price = 0.15
    load_seconds: _Price = 5.0
    silence_seconds: _Price = 5.0
    prefix_match_info_producer_name: Annotated[str, msgspec.Meta(min_length=1)] = APPROX_PREFIX

    def needs(self) -> tuple[str, ...]:
        """Read the ledger, and the matches of the named producer."""
        return (self.prefix_match_info_producer_name, LEDGER)

    def score(self, query: Query, endpoints: Sequence[Endpoint]) -> Scores | Cheapness:
        """Compare the costs by the best measure that there is."""
        workload = query.fact(LEDGER, Workload)
        matches = query.fact(self.prefix_match_info_producer_name, PrefixMatches)
        prices = Prices(
            self.pressure_weight,
            self.stall_weight,
            self.output_weight,
            self.load_seconds,
            self.silence_seconds,
        )
        cost = MarginalCost(workload, matches.slim(), query.now, prices, query.model)
        basis = basis_of(query, workload, matches, endpoints)
        details = CostDetails(basis.value, cost, endpoints)
        if basis is Basis.TWO_CHOICES:
            return Scores(_by_two_choices(cost, endpoints), details, bounded=True)
        if basis is Basis.METRICS:
            return Scores(_by_metrics(cost, query, endpoints), details, bounded=True)
        by_load = basis is Basis.LOAD
        return Cheapness(_loads(cost, endpoints) if by_load else cost.costs(endpoints), details)


def _loads(cost: MarginalCost, endpoints: Sequence[Endpoint]) -> list[float]:
    """Multiply the tokens to compute by the requests: needs no coefficients."""
    load, matches, now = cost.workload, cost.matches, cost.now
    addresses = load.board.addresses_of(endpoints)
    standings = load.board.standings(addresses, load.idle)
    token_s, scaled_s = load.coefficients.token_s, load.coefficients.token_s * load.ratio
    costs = [
        (standing.queue_s(now) / token_s + load.uncached_at(matches, address))
        * (standing.requests + 1)
        for standing, address in zip(standings, addresses, strict=True)
    ]
    for i, seconds in cost.on_top(endpoints).items():
        costs[i] += seconds / scaled_s * (standings[i].requests + 1)
    return costs


def _by_two_choices(cost: MarginalCost, endpoints: Sequence[Endpoint]) -> list[float]:
    """Draw two, by lots that are other ones at each pick, and prefer the one with less to do.

    Those that would have to load the model, and those whose metrics have died, come after all
    others.
    """
    load, on_top = cost.workload, cost.on_top(endpoints)
    lots = [xxh3_64_intdigest(e.address.encode(), load.picks) for e in endpoints]
    drawn = sorted(range(len(endpoints)), key=lambda i: (on_top.get(i, 0.0), lots[i]))[:2]
    scores = [0.0] * len(endpoints)
    drawn.sort(key=lambda i: (on_top.get(i, 0.0), load.at(endpoints[i]).requests))
    for rank, i in enumerate(drawn):
        scores[i] = 1.0 - rank / 2
    return scores


def _by_metrics(cost: MarginalCost, query: Query, endpoints: Sequence[Endpoint]) -> list[float]:
    """Blend short queues, free caches and cached prefixes, 2 to 2 to 3.

    Those that would have to load the model, and those whose metrics have died, come after all
    others.
    """
    queues = fewest_best(readings(query, endpoints, lambda load: load.waiting))
    caches = free_kv_cache(query, endpoints)
    scores = [
        (2 * queue + 2 * free + 3 * cost.matches.share_at(e.address)) / 7
        for e, queue, free in zip(endpoints, queues, caches, strict=True)
    ]
    on_top = cost.on_top(endpoints)
    if not on_top:
        return scores
    return [score / 2 if i in on_top else (1 + score) / 2 for i, score in enumerate(scores)]
