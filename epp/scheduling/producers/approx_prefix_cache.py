"""What of a prompt is cached where, guessed from earlier picks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Decision, Outcome
from epp.scheduling.figure import Figure
from epp.scheduling.prefix.blocks import BlockHasher, root_hash
from epp.scheduling.prefix.cut import Cut
from epp.scheduling.prefix.index import PrefixIndex
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.prefix.truth import CacheTruth
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
    it is reached, the endpoint with the most blocks gives way. Where answers report cached tokens
    they are compared: an endpoint that has less than was predicted is believed so much less.
    """

    class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
        """How prompts are cut, and how much is remembered."""

        auto_tune: bool = True
        block_size_tokens: Annotated[int, msgspec.Meta(ge=1, le=65_536)] = 16
        max_prefix_blocks_to_match: Annotated[int, msgspec.Meta(ge=1)] = 2048
        max_prefix_tokens_to_match: Annotated[int, msgspec.Meta(ge=1)] = 131_072
        lru_capacity_per_server: Annotated[int, msgspec.Meta(ge=1)] = 31_250
        lru_capacity_total: Annotated[int, msgspec.Meta(ge=1)] = 450_000

    def __init__(self, parameters: Parameters) -> None:
        self.seed = 0
        block_bytes = _BYTES_PER_TOKEN * max(_MIN_BLOCK_TOKENS, parameters.block_size_tokens)
        cut = Cut(block_bytes)
        self._auto_tune = parameters.auto_tune
        self._capacity = parameters.lru_capacity_per_server * block_bytes
        self._hasher = BlockHasher(
            cut,
            parameters.max_prefix_tokens_to_match * _BYTES_PER_TOKEN,
            parameters.max_prefix_blocks_to_match,
        )
        self._index = PrefixIndex(parameters.lru_capacity_total, cut)
        self._truth = CacheTruth()

    def __repr__(self) -> str:
        return f"<ApproxPrefixCacheProducer {self._index!r}>"

    def produce(self, query: Query, endpoints: Sequence[Endpoint]) -> PrefixMatches:
        """Hash the prompt and look it up for all endpoints at once."""
        root = root_hash(self.seed, query.model, query.cache_salt)
        hashes, length = self._hasher.hashes(query.prompt, root)
        matched = self._index.match(hashes)
        return PrefixMatches(
            hashes, self._hasher.cut, matched, self._truth.trust, length, 1 / _BYTES_PER_TOKEN
        )

    def reserve(self, query: Query, decision: Decision, fact: PrefixMatches) -> float:
        """Count on the winner's having the prompt: requests that follow at once find it.

        Returns the share of the prompt that it had already.
        """
        if not fact.hashes:
            return 0.0
        winner = decision.winner
        share = fact.cached_share(fact.matched.get(winner.address, 0))
        self._index.insert(winner.address, fact.hashes, self._capacity_of(winner))
        return share

    def release(
        self, query: Query, decision: Decision, held: float, outcome: Outcome, now: float
    ) -> None:
        """Compare what was predicted with what the answer tells; the cache outlives the request."""
        if held and outcome.cached_tokens is not None and outcome.prompt_tokens:
            predicted = held * outcome.prompt_tokens
            self._truth.learn(decision.winner.address, predicted, outcome.cached_tokens)

    def forget(self, endpoint: Endpoint) -> None:
        """Drop the endpoint's blocks."""
        self._index.drop(endpoint.address)
        self._truth.forget(endpoint.address)

    def figures(self) -> list[Figure]:
        """Return how large the index is, and how right it was."""
        entries = Figure(
            "prefix_index_entries",
            "Blocks in the prefix index, of all endpoints.",
            len(self._index),
        )
        return [entries, *self._truth.figures("prefix_index_trust")]

    def _capacity_of(self, endpoint: Endpoint) -> int:
        load = endpoint.load  # however old: the size of a cache does not change
        if not self._auto_tune or load is None or not load.blocks or not load.block_size:
            return self._capacity
        return max(self._hasher.cut.size, load.blocks * load.block_size * _BYTES_PER_TOKEN)
