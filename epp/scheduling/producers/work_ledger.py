"""What this picker has given each endpoint to do, and what of it is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Decision, Outcome
from epp.scheduling.figure import Figure
from epp.scheduling.ledger.account import Account, Held
from epp.scheduling.ledger.board import Board
from epp.scheduling.ledger.coefficients import Coefficients
from epp.scheduling.ledger.decaying import DecayingSum
from epp.scheduling.ledger.lengths import Lengths
from epp.scheduling.ledger.repertoires import Repertoires
from epp.scheduling.ledger.rounds import Rounds
from epp.scheduling.ledger.speeds import Speeds
from epp.scheduling.ledger.standing import Standing
from epp.scheduling.ledger.warming import Warming
from epp.scheduling.ledger.workload import Workload
from epp.scheduling.ledger.youth import Youth
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.producers.approx_prefix_cache import APPROX_PREFIX
from epp.scheduling.query import Query
from epp.scheduling.registry import producers

LEDGER = "work-ledger-producer"

_Positive = Annotated[float, msgspec.Meta(gt=0.0)]
_NotNegative = Annotated[float, msgspec.Meta(ge=0.0)]

_PRESSURE_PERIOD_S = 20.0


@producers(LEDGER)
class WorkLedgerProducer:
    """Keeps the books of each endpoint: prefill that has no first token yet, requests in flight,
    tokens held; reserved with the pick, given back at the first token and at the end.

    Where answers are not observed, prefill is worked off by time alone. The servers' metrics
    correct the books when they disagree for more than two readings. What a server really takes is
    learned from the times to the first token, the length of prompts and answers from the usage.
    """

    class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
        """What work costs (of an 8B model on one H100; a wrong scale is found out), and what is
        assumed of a request that says nothing.

        `reservedTokens` is the length of an answer whose request gives no limit; 0 takes the mean
        of its model. `rampSeconds` is how long an endpoint that joined counts as warming up.
        """

        seconds_per_token: _Positive = 21.8e-6
        seconds_per_token_pair: _NotNegative = 1.31e-9
        step_seconds: _Positive = 7.15e-3
        step_seconds_per_held_token: _NotNegative = 76e-9
        step_seconds_per_request: _NotNegative = 4.4e-6
        chunk_seconds: _Positive = 0.2
        reserved_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0
        ramp_seconds: _NotNegative = 30.0
        prefix_match_info_producer_name: Annotated[str, msgspec.Meta(min_length=1)] = APPROX_PREFIX

    def __init__(self, parameters: Parameters) -> None:
        self._reserved_tokens = self._own_reserved_tokens = parameters.reserved_tokens
        self._matches = parameters.prefix_match_info_producer_name
        self._coefficients = Coefficients(
            parameters.seconds_per_token,
            parameters.seconds_per_token_pair,
            parameters.step_seconds,
            parameters.step_seconds_per_held_token,
            parameters.step_seconds_per_request,
            parameters.chunk_seconds,
        )
        self._accounts: dict[str, Account] = {}
        self._board = Board()
        self._warming = Warming(parameters.ramp_seconds)
        self._repertoires = Repertoires()
        self._silent: set[str] = set()  # those whose metrics have died
        self._idle = Account(0, self._coefficients, 0.0).standing
        self._speeds = Speeds()
        self._lengths = Lengths()
        self._dispatched = DecayingSum(_PRESSURE_PERIOD_S)
        self._uncached = 0.0
        self._youth = Youth()
        self._picks = 0
        self._rounds = Rounds()

    def __repr__(self) -> str:
        requests = sum(map(len, self._accounts.values()))
        return f"<WorkLedgerProducer {requests} requests at {len(self._accounts)} endpoints>"

    @property
    def coefficients(self) -> Coefficients:
        """What work costs, before anything was learned."""
        return self._coefficients

    @property
    def ratio(self) -> float:
        """What the pool takes, as a multiple of what the coefficients say."""
        return self._speeds.ratio

    def standing(self, endpoint: Endpoint) -> Standing:
        """Return the standing of an endpoint at this moment."""
        account = self._accounts.get(endpoint.address)
        return self._idle if account is None else account.standing

    def prompt_tokens(self, query: Query) -> float:
        """Return the length of a request's prompt, estimated."""
        if query.tokens is not None:
            return query.tokens.prompt
        return len(query.prompt) * self._lengths.of(query.model).tokens_per_char

    def work_s(self, query: Query, endpoint: Endpoint) -> float:
        """Return the prefill that a request needs at an endpoint; `query` has the facts."""
        workload = query.fact(LEDGER, Workload)
        return workload.prefill_s(workload.prompt * self._cached_share(query, endpoint))

    def produce(self, query: Query, endpoints: Sequence[Endpoint]) -> Workload:
        """Return the books as they are now."""
        now = query.now
        if self._youth.started_at is None:
            self._youth.started_at = now
            for endpoint in endpoints:  # those that come later are warming up
                self._publish(endpoint.address, self._account(endpoint, now))
        self._compare(endpoints, now, query.max_load_age_s)
        if self._board.unsorted:
            self._board.sort([endpoint.address for endpoint in endpoints])
        self._board.meet(endpoints)
        lengths, prompt = self._lengths.of(query.model), self.prompt_tokens(query)
        self._board.short_of(prompt)  # brings up to date what the copy then knows
        return Workload(
            self._board.copy(),
            self._coefficients,
            self._idle,
            prompt,
            self._expected_output(query, lengths.output),
            self._speeds.ratio,
            self._speeds.plausible,
            self._dispatched.per_second(now) / max(1, len(endpoints)),
            self._youth.lasts(self._accounts.values(), now),
            self._picks,
            self._warming.ramps(now),
            self._uncached,
            self._repertoires.differ,
            frozenset(self._silent) if self._silent else frozenset(),
        )

    def reserve(self, query: Query, decision: Decision, fact: Workload) -> Held:
        """Open the request in the winner's books."""
        winner, now = decision.winner, query.now
        account = self._account(winner, now)
        share = self._cached_share(query, winner)
        work_s = fact.prefill_s(fact.prompt * share)
        held = Held(
            account,
            at=now,
            chars=len(query.prompt),
            prompt=fact.prompt,
            output=fact.output,
            work_s=work_s,
            uncached=fact.prompt * (1.0 - share),
        )
        account.open(held, self._speeds.ratio, now)
        self._publish(winner.address, account)
        self._dispatched.add(work_s, now)
        self._uncached += (fact.prompt * (1.0 - share) - self._uncached) * 0.05
        self._picks += 1
        return held

    def first_token(self, query: Query, decision: Decision, held: Held, now: float) -> None:
        """Strike its prefill out, and learn from the time that it took."""
        if query.stream:  # else the first byte comes with the last token
            self._learn(held, now - held.at)
        held.account.answered(held, self._speeds.ratio, now)
        self._publish(decision.winner.address, held.account)

    def release(
        self, query: Query, decision: Decision, held: Held, outcome: Outcome, now: float
    ) -> None:
        """Close the request, and learn from how it ended."""
        if outcome.ttft_s is not None:
            self._learn(held, outcome.ttft_s)
        freed = held.prompt + (outcome.completion_tokens or 0)
        held.account.close(held, self._speeds.ratio, freed, now)
        self._publish(decision.winner.address, held.account)
        if outcome.completed and outcome.status == 200:
            self._youth.ended(now - held.at)
            self._lengths.learn(
                query.model, held.chars, outcome.prompt_tokens, outcome.completion_tokens
            )

    def forget(self, endpoint: Endpoint) -> None:
        """Drop the books; requests that still end are entered nowhere."""
        account = self._accounts.get(endpoint.address)
        self._rounds.again()
        if account is not None and account.generation == endpoint.generation:
            del self._accounts[endpoint.address]
            self._board.drop(endpoint.address)
            self._warming.forget(endpoint.address)
            self._repertoires.forget(endpoint.address)
            self._silent.discard(endpoint.address)
            self._speeds.forget(account.speed)

    def reserve_tokens(self, tokens: int | None) -> None:
        """Count so many tokens for an answer whose request gives no limit."""
        self._reserved_tokens = self._own_reserved_tokens if tokens is None else tokens

    def figures(self) -> list[Figure]:
        """Return how fast each endpoint is, and how many requests of others it has."""
        return [
            figure
            for address, account in self._accounts.items()
            for figure in (
                Figure(
                    "endpoint_speed_ratio",
                    "Time to the first token, as a multiple of what the coefficients say.",
                    self._speeds.ratio * account.speed.factor,
                    address,
                ),
                Figure(
                    "endpoint_other_requests",
                    "Requests that the endpoint has and this picker did not send there.",
                    account.others.count,
                    address,
                ),
            )
        ]

    def _cached_share(self, query: Query, endpoint: Endpoint) -> float:
        matches = query.facts.get(self._matches) or _any_matches(query)
        return matches.share_at(endpoint.address) if isinstance(matches, PrefixMatches) else 0.0

    def _learn(self, held: Held, observed_s: float) -> None:
        if not held.learned:
            held.learned = True
            self._speeds.learn(held.account.speed, observed_s, held.predicted_s)

    def _expected_output(self, query: Query, mean: float) -> float:
        if query.max_tokens is not None:
            return min(float(query.max_tokens), mean)
        return float(self._reserved_tokens) or mean

    def _account(self, endpoint: Endpoint, now: float) -> Account:
        account = self._accounts.get(endpoint.address)
        if account is not None and account.generation >= endpoint.generation:
            return account
        if account is not None:
            self._speeds.forget(account.speed)
        told = [one.others.count for one in self._accounts.values() if one.load is not None]
        account = self._accounts[endpoint.address] = Account(
            endpoint.generation, self._coefficients, now
        )
        self._silent.discard(endpoint.address)
        if told:  # nobody knows yet how many requests of others it has
            account.assume(round(sum(told) / len(told)), self._speeds.ratio)
        if self._youth.started_at is not None and now > self._youth.started_at:
            self._warming.join(endpoint.address, now)
        return account

    def _publish(self, address: str, account: Account) -> None:
        if self._accounts.get(address) is account:
            self._board.put(address, account.standing)

    def _compare(self, endpoints: Sequence[Endpoint], now: float, max_age_s: float) -> None:
        """Look at the metrics of some endpoints, of the next ones at the next pick."""
        accounts, ratio = self._accounts, self._speeds.ratio
        if self._silent:  # until those are found, too, that fell silent when nobody told any more
            self._rounds.again()
        for endpoint in self._rounds.take(endpoints, now):
            account = accounts.get(endpoint.address)
            load = endpoint.load
            if account is None or account.generation < endpoint.generation:
                account = self._account(endpoint, now)
                self._publish(endpoint.address, account)
            if load is None:
                continue
            if load is account.load or now - load.at > max_age_s:
                if account.silent(load, max_age_s, now):
                    self._silent.add(endpoint.address)
                continue
            account.read(load, ratio, now)
            self._board.put(endpoint.address, account.standing)
            self._silent.discard(endpoint.address)
            self._repertoires.read(endpoint.address, load)


def _any_matches(query: Query) -> PrefixMatches | None:
    """Return what another producer found, where the named one is not configured."""
    return next((f for f in query.facts.values() if isinstance(f, PrefixMatches)), None)
