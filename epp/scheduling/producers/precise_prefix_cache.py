"""What of a prompt is cached where, as the model servers tell it."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Decision, Outcome
from epp.scheduling.figure import Figure
from epp.scheduling.kv.agreement import Agreement
from epp.scheduling.kv.feeds import Feeds, Known
from epp.scheduling.kv.settings import PreciseParameters
from epp.scheduling.kv.speculation import Speculation
from epp.scheduling.prefix.cut import Cut
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.prefix.truth import CacheTruth
from epp.scheduling.producers.approx_prefix_cache import ApproxPrefixCacheProducer
from epp.scheduling.query import Query
from epp.scheduling.registry import producers
from epp.scheduling.tokens import Tokens

PRECISE_PREFIX = "precise-prefix-cache-producer"

_BY_TOKEN = Cut(1, fine=1 << 62)
_WANTED = 64
_MODELS = 256  # whose tokens are watched; names are the clients' to choose


class PreciseMatches(PrefixMatches, frozen=True):
    """Matches in tokens, those of `precise` endpoints told by themselves, the others guessed."""

    guess: PrefixMatches = PrefixMatches()
    first_keys: Mapping[str, int] = {}  # of the prompt's first block, by endpoint


class Wanted(msgspec.Struct, frozen=True):
    """A prompt whose tokens would have helped, and where it went."""

    model: str
    prompt: str
    endpoint: Endpoint


class Held(msgspec.Struct, frozen=True):
    """What is to be compared when the answer is there."""

    guessed: float  # share of the prompt that the guess said was cached
    told: float | None = None  # share that the endpoint's events said was; None: they did not
    first_key: int | None = None


@producers(PRECISE_PREFIX)
class PrecisePrefixCacheProducer:
    """Follows the KV cache events of the model servers (vLLM, SGLang) and knows what they hold.

    It needs the prompt's tokens. Where they are not known, or an endpoint has sent no events yet or
    its stream is broken, that endpoint's part is guessed as by `approx-prefix-cache-producer`, and
    the decision says so. Parameters have llm-d's names; blocks are as large as the servers' own.
    """

    Parameters = PreciseParameters

    def __init__(self, parameters: PreciseParameters) -> None:
        self.parameters = parameters
        self.feeds = Feeds(parameters.indexer_config.kv_block_index_config.in_memory_config.size)
        self.dropped = 0  # prompts whose tokens were wanted, and nobody had the time
        self._guess = ApproxPrefixCacheProducer(parameters.approximate)
        self._truth = CacheTruth()
        self._speculation = Speculation(parameters.speculative_ttl_s)
        self._agreements: dict[str, Agreement] = {}
        self._wanted: deque[Wanted] = deque()

    def __repr__(self) -> str:
        return f"<PrecisePrefixCacheProducer {self.feeds!r}>"

    @property
    def seed(self) -> int:
        """The secret of the hashes."""
        return self._guess.seed

    @seed.setter
    def seed(self, seed: int) -> None:
        self._guess.seed = self.feeds.index.seed = seed

    def produce(self, query: Query, endpoints: Sequence[Endpoint]) -> PreciseMatches:
        """Look the prompt up, for each endpoint in the best way that there is."""
        guess = self._guess.produce(query, endpoints)
        tokens = query.tokens
        if tokens is None or not tokens.data:
            return _only(guess, {})
        known = self.feeds.known(tokens, query.model, query.cache_salt, endpoints)
        agreement = self._agreements.get(query.model)
        if agreement is not None:
            agreement.settle(query.now, self.feeds.index.holds)
        distrusted = agreement is not None and not agreement.trusted
        if distrusted or not (known.live or known.matched):
            return _only(guess, known.first_keys)
        keys, now = known.first_keys, query.now
        young = {e.address for e in endpoints if self._young(e.address, keys, now)}
        matched, precise = _blended(tokens, guess, known, endpoints, young)
        total = max(round(tokens.prompt), 1)
        trust = {a: t for a, t in guess.trust.items() if a not in precise}
        trust |= {a: t for a, t in self._truth.trust.items() if a in precise}
        return PreciseMatches(
            range(total),
            _BY_TOKEN,
            matched,
            trust,
            float(total),
            1.0,
            precise,
            guess,
            known.first_keys,
        )

    def reserve(self, query: Query, decision: Decision, fact: PreciseMatches) -> Held:
        """Count on the winner's having the prompt, where that is a guess; want its tokens."""
        address = decision.winner.address
        guessed = self._guess.reserve(query, decision, fact.guess)
        if query.prompt and (query.tokens is None or query.tokens.share < 1.0):
            self._want(Wanted(query.model, query.prompt, decision.winner))
        if (first_key := fact.first_keys.get(address)) is not None:
            self._speculation.add(address, first_key, query.now)
        told = fact.cached_share(fact.matched.get(address, 0)) if address in fact.precise else None
        return Held(guessed, told, first_key)

    def release(
        self, query: Query, decision: Decision, held: Held, outcome: Outcome, now: float
    ) -> None:
        """Compare with what the answer tells, and with the blocks that it left behind."""
        self._guess.release(query, decision, held.guessed, outcome, now)
        address = decision.winner.address
        if held.told and outcome.cached_tokens is not None and outcome.prompt_tokens:
            self._truth.learn(address, held.told * outcome.prompt_tokens, outcome.cached_tokens)
        if held.first_key is not None and outcome.completed and outcome.status == 200:
            agreement = self._agreement(query.model)
            agreement.expect(now, address, held.first_key)
            agreement.settle(now, self.feeds.index.holds)

    def forget(self, endpoint: Endpoint) -> None:
        """Drop the endpoint's blocks."""
        self._guess.forget(endpoint)
        self.feeds.forget(endpoint.address)
        self._truth.forget(endpoint.address)
        for agreement in self._agreements.values():
            agreement.forget(endpoint.address)

    def figures(self) -> list[Figure]:
        """Return what the guesses tell, and how right the events of each endpoint were."""
        return [*self._guess.figures(), *self._truth.figures("prefix_events_trust")]

    def take_wanted(self) -> list[Wanted]:
        """Return the prompts whose tokens are wanted, once; the caller has them tokenized."""
        wanted = list(self._wanted)
        self._wanted.clear()
        return wanted

    def distrusted(self) -> list[str]:
        """Return the models whose tokens are not the servers'."""
        return [model for model, known in self._agreements.items() if not known.trusted]

    def _young(self, address: str, first_keys: Mapping[str, int], now: float) -> bool:
        return self._speculation.holds(address, first_keys.get(address), now)

    def _want(self, wanted: Wanted) -> None:
        if len(self._wanted) >= _WANTED:
            self._wanted.popleft()
            self.dropped += 1
        self._wanted.append(wanted)

    def _agreement(self, model: str) -> Agreement:
        if model not in self._agreements and len(self._agreements) >= _MODELS:
            self._agreements.clear()
        return self._agreements.setdefault(model, Agreement())


def _only(guess: PrefixMatches, first_keys: Mapping[str, int]) -> PreciseMatches:
    return PreciseMatches(
        guess.hashes,
        guess.cut,
        guess.matched,
        guess.trust,
        guess.prompt_units,
        guess.tokens_per_unit,
        guess=guess,
        first_keys=first_keys,
    )


def _blended(
    tokens: Tokens,
    guess: PrefixMatches,
    known: Known,
    endpoints: Sequence[Endpoint],
    young: Collection[str],
) -> tuple[dict[str, int], frozenset[str]]:
    """Return the matched tokens of each endpoint, and those that were told by it.

    A guess counts for an endpoint of which not all is known, and beyond the tokens that are known
    if the endpoint has all of these: it may have more. It counts, too, where such a prompt went so
    lately (`young`) that the endpoint cannot have told of it yet.
    """
    matched: dict[str, int] = {}
    precise: list[str] = []
    for endpoint in endpoints:
        address = endpoint.address
        count = known.matched.get(address, 0)
        exact = address in known.live and address not in young
        exact = exact and (tokens.share == 1.0 or address not in known.whole)
        guessed = 0.0 if exact else guess.cached_share(guess.matched.get(address, 0))
        guessed = int(guessed * tokens.prompt)
        if address in known.live and count >= guessed:
            precise.append(address)
        if best := max(count, guessed):
            matched[address] = best
    return matched, frozenset(precise)
