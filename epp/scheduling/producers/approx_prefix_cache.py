"""What of a prompt is cached where, guessed from earlier picks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Decision, Outcome
from epp.scheduling.prefix.blocks import block_hashes, root_hash
from epp.scheduling.prefix.index import PrefixIndex
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.query import Query
from epp.scheduling.registry import producers

APPROX_PREFIX = "approx-prefix-cache-producer"

_BYTES_PER_TOKEN = 4  # of English text; prompts are not tokenized
_MIN_BLOCK_TOKENS = 64  # smaller blocks cost memory and time, and decide nothing


@producers(APPROX_PREFIX)
class ApproxPrefixCacheProducer:
    """Assumes that an endpoint keeps the prompts sent to it, the latest as far as its cache goes.

    `autoTune` takes the size of the cache from the endpoint's metrics; `lruCapacityPerServer`, in
    blocks, holds where they do not tell. `lruCapacityTotal` bounds the memory of all together: when
    it is reached, the endpoint with the most blocks gives way.
    """

    class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
        """How prompts are cut, and how much is remembered."""

        auto_tune: bool = True
        block_size_tokens: Annotated[int, msgspec.Meta(ge=1, le=65_536)] = 16
        max_prefix_blocks_to_match: Annotated[int, msgspec.Meta(ge=1)] = 2048
        max_prefix_tokens_to_match: Annotated[int, msgspec.Meta(ge=1)] = 131_072
        lru_capacity_per_server: Annotated[int, msgspec.Meta(ge=1)] = 31_250
        lru_capacity_total: Annotated[int, msgspec.Meta(ge=1)] = 1_000_000

    def __init__(self, parameters: Parameters) -> None:
        self.seed = 0
        self._auto_tune = parameters.auto_tune
        self._capacity = parameters.lru_capacity_per_server
        self._block_tokens = max(_MIN_BLOCK_TOKENS, parameters.block_size_tokens)
        self._max_blocks = min(
            parameters.max_prefix_blocks_to_match,
            parameters.max_prefix_tokens_to_match // self._block_tokens,
        )
        self._index = PrefixIndex(parameters.lru_capacity_total)

    def __repr__(self) -> str:
        return f"<ApproxPrefixCacheProducer {self._index!r}>"

    def produce(self, query: Query, endpoints: Sequence[Endpoint]) -> PrefixMatches:
        """Hash the prompt and look it up for all endpoints at once."""
        hashes = block_hashes(
            query.prompt,
            root=root_hash(self.seed, query.model, query.cache_salt),
            block_bytes=self._block_tokens * _BYTES_PER_TOKEN,
            max_blocks=self._max_blocks,
        )
        return PrefixMatches(hashes, self._block_tokens, self._index.match(hashes))

    def reserve(self, query: Query, decision: Decision, fact: PrefixMatches) -> None:
        """Count on the winner's having the prompt: requests that follow at once find it."""
        if fact.hashes:
            winner = decision.winner
            self._index.insert(winner.address, fact.hashes, self._capacity_of(winner))

    def release(self, query: Query, decision: Decision, outcome: Outcome) -> None:
        """Keep it: the cache outlives the request."""

    def forget(self, endpoint: Endpoint) -> None:
        """Drop the endpoint's blocks."""
        self._index.drop(endpoint.address)

    def response_headers(self, decision: Decision) -> Sequence[tuple[str, str]]:
        """Add nothing."""
        return ()

    def _capacity_of(self, endpoint: Endpoint) -> int:
        load = endpoint.load  # however old: the size of a cache does not change
        if not self._auto_tune or load is None or not load.blocks or not load.block_size:
            return self._capacity
        return max(1, load.blocks * load.block_size // self._block_tokens)
