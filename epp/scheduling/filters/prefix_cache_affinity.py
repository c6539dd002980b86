"""Keep requests where their prompts are cached, until that costs too much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import msgspec
from xxhash import xxh3_64_intdigest

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Exhausted
from epp.scheduling.ledger.workload import Workload
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.producers.approx_prefix_cache import APPROX_PREFIX
from epp.scheduling.producers.work_ledger import LEDGER
from epp.scheduling.query import Query
from epp.scheduling.registry import filters

_Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


@filters("prefix-cache-affinity-filter")
class PrefixCacheAffinityFilter(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"
):
    """Keep the endpoints that have at least `affinityThreshold` of the prompt cached.

    All are kept if there is none, with `explorationProbability`, or if the best of those with the
    prompt would take `maxTTFTPenaltyMs` longer to the first token than the best of the others (0:
    that does not matter). The time is the tokens to compute over `peakPrefillThroughput`, or, with
    the `ttftSource` `latencyPredictor`, what the ledger predicts.
    """

    exhausted: ClassVar[Exhausted] = Exhausted.NO_ENDPOINTS

    affinity_threshold: _Share = 0.8
    exploration_probability: _Share = 0.0
    max_ttft_penalty_ms: Annotated[float, msgspec.Meta(ge=0.0)] = msgspec.field(
        default=18_000.0, name="maxTTFTPenaltyMs"
    )
    peak_prefill_throughput: Annotated[float, msgspec.Meta(gt=0.0)] = 15_928.0  # tokens a second
    ttft_source: Literal["prefillThroughput", "latencyPredictor"] = "prefillThroughput"
    prefix_match_info_producer_name: Annotated[str, msgspec.Meta(min_length=1)] = APPROX_PREFIX

    def needs(self) -> tuple[str, ...]:
        """Read the ledger, and the matches of the named producer."""
        return (self.prefix_match_info_producer_name, LEDGER)

    def keep(self, query: Query, endpoints: Sequence[Endpoint]) -> list[Endpoint]:
        """Return those with the prompt, or all."""
        load = query.fact(LEDGER, Workload)
        matches = query.fact(self.prefix_match_info_producer_name, PrefixMatches)
        least = self.affinity_threshold
        has = [matches.share_at(e.address) >= least for e in endpoints]
        sticky = [e for e, there in zip(endpoints, has, strict=True) if there]
        others = [e for e, there in zip(endpoints, has, strict=True) if not there]
        if not sticky or not others or self._explores(load):
            return list(endpoints)

        def ttft_ms(endpoint: Endpoint) -> float:
            return 1000.0 * self._ttft_s(query, endpoint)

        best, other = min(map(ttft_ms, sticky)), min(map(ttft_ms, others))
        broken = 0.0 < self.max_ttft_penalty_ms < best - other
        return list(endpoints) if broken else sticky

    def _explores(self, load: Workload) -> bool:
        if not self.exploration_probability:
            return False
        lot = xxh3_64_intdigest(load.picks.to_bytes(8, "little"))
        return lot < self.exploration_probability * 2**64

    def _ttft_s(self, query: Query, endpoint: Endpoint) -> float:
        load = query.fact(LEDGER, Workload)
        standing = load.at(endpoint)
        if self.ttft_source == "prefillThroughput":
            return standing.to_compute / self.peak_prefill_throughput
        matches = query.fact(self.prefix_match_info_producer_name, PrefixMatches)
        return load.ttft_s(matches, endpoint, query.now)
