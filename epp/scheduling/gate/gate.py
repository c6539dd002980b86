"""Which endpoints can take a request so that it, and those that are there, meet their targets."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Decision, Outcome
from epp.scheduling.gate.paces import Paces
from epp.scheduling.gate.settings import GateSettings
from epp.scheduling.gate.share import Share
from epp.scheduling.gate.targets import Targets
from epp.scheduling.gate.verdict import OPEN, Verdict, Why
from epp.scheduling.ledger.standing import Standing
from epp.scheduling.producers.work_ledger import WorkLedgerProducer
from epp.scheduling.query import Query

GATE = "gate"

_OWN_COUNT_S = 10.0  # answers that were read here tell more than what the server says of all
_MOST_BUSY = 0.8  # of a second: above it the time between steps says little about the steps


class Planned(msgspec.Struct, frozen=True):
    """What a request was let through with."""

    target_s: float  # between tokens
    step_s: float  # as the coefficients have it, with the prefill that comes between the steps


class Gate:
    """Judges endpoints by the ledger, and learns from each request that ends.

    It closes an endpoint only for what it knows: one without requests, and one of which nothing is
    known, is open. That holds for a server that is slower than its target even when it is alone
    with a request, too: to keep others away would help nobody.

    In the scheduler it is a producer without a fact, so that it hears of every request.
    """

    def __init__(self, settings: GateSettings, ledger: WorkLedgerProducer) -> None:
        self.settings = settings
        self.share = Share(settings.first_share)
        self.paces = Paces()
        self._ledger = ledger
        self._idle = 1.0  # the share of an endpoint's time that is no prefill, at the latest pick
        self._seen_at: dict[str, float] = {}  # when an answer was read
        self._told_at: dict[str, float] = {}  # of the metrics that were heard last

    def __repr__(self) -> str:
        return f"<Gate {self.share!r}, {self.paces!r}>"

    def targets(self, query: Query) -> Targets:
        """Return the targets of a request: its own, its model's, or the pool's."""
        asked = self._asked(query)
        return asked.for_prompt(self.tokens(query)) if asked.ttft_token_s else asked

    def verdict(
        self, endpoint: Endpoint, tokens: float, targets: Targets, now: float, part: float = 1.0
    ) -> Verdict:
        """Say whether a request with a prompt of so many tokens may go there.

        With `part` below 1 it may only where it leaves room for others: that much of what an
        endpoint may have to do.
        """
        standing = self._ledger.standing(endpoint)
        self._hear(endpoint, standing, now)
        if standing.requests <= 0:
            return OPEN
        if tokens > standing.room:
            return Verdict(Why.MEMORY)
        queue = self._queue(standing, targets, now, part)
        return queue if not queue.open else self._step(endpoint, standing, tokens, targets, part)

    def tokens(self, query: Query) -> float:
        """Return the length of a request's prompt, estimated."""
        return self._ledger.prompt_tokens(query)

    def work_s(self, query: Query, endpoint: Endpoint) -> float:
        """Return the prefill that a request needs there; `query` has the facts of a choice."""
        return self._ledger.work_s(query, endpoint)

    def prefill_s(self, endpoint: Endpoint, work_s: float) -> float:
        """Return what so much prefill takes there, by what was learned of the endpoint."""
        return self._ledger.ratio * self._ledger.standing(endpoint).speed * work_s

    def step_s(self, endpoint: Endpoint) -> float:
        """Return what a decode step takes there now."""
        return self._pace(endpoint.address) * self._ledger.standing(endpoint).step_s

    def produce(self, query: Query, endpoints: Sequence[Endpoint]) -> None:
        """Have nothing to tell the plugins."""

    def reserve(self, query: Query, decision: Decision, fact: None) -> Planned:
        """Note what is expected of the request."""
        work, standing = self._ledger.coefficients, self._ledger.standing(decision.winner)
        step_s = work.decode_step_s(standing.held, standing.decoding + 1)
        busy = self._ledger.busy(len(decision.candidates), query.now)
        self._idle = 1.0 - min(_MOST_BUSY, busy)
        return Planned(self._asked(query).tpot_s, step_s / self._idle)

    def first_token(self, query: Query, decision: Decision, held: Planned, now: float) -> None:
        """Learn nothing yet."""

    def release(
        self, query: Query, decision: Decision, held: Planned, outcome: Outcome, now: float
    ) -> None:
        """Learn from the time between the tokens, where somebody has seen them."""
        if outcome.itl_s is None:
            return
        self._seen_at[decision.winner.address] = now
        self.paces.learn(decision.winner.address, outcome.itl_s, held.step_s)
        if held.target_s < inf:
            self.share.learn(outcome.itl_s, held.target_s, outcome.completion_tokens or 0)

    def forget(self, endpoint: Endpoint) -> None:
        """Drop what is known of an endpoint that left."""
        self.paces.forget(endpoint.address)
        self._seen_at.pop(endpoint.address, None)
        self._told_at.pop(endpoint.address, None)

    def response_headers(self, decision: Decision) -> Sequence[tuple[str, str]]:
        """Add nothing."""
        return ()

    def _asked(self, query: Query) -> Targets:
        """Return the targets of a request, whatever its length."""
        settings = self.settings
        base = settings.models.get(query.model, settings.targets)
        return base.asked_by(query.headers)

    def _hear(self, endpoint: Endpoint, standing: Standing, now: float) -> None:
        """Learn from what the server says of the time between tokens, where no answers are read."""
        load, address = endpoint.load, endpoint.address
        if load is None or load.itl_s is None or load.at <= self._told_at.get(address, -inf):
            return
        self._told_at[address] = load.at
        running = standing.decoding if load.running is None else load.running
        if running > 0 and now - self._seen_at.get(address, -inf) > _OWN_COUNT_S:
            step_s = self._ledger.coefficients.decode_step_s(standing.held, running)
            self.paces.learn(address, load.itl_s, step_s / self._idle)

    def _queue(self, standing: Standing, targets: Targets, now: float, part: float) -> Verdict:
        settings = self.settings
        scale = self._ledger.ratio * standing.speed
        hold_s = min(settings.hold_share * targets.ttft_s, settings.longest_hold_s) / scale * part
        excess_s = standing.queue_s(now) - hold_s
        if excess_s < 0.0:
            return OPEN
        return Verdict(Why.QUEUE, now + excess_s / standing.drain)

    def _step(
        self,
        endpoint: Endpoint,
        standing: Standing,
        tokens: float,
        targets: Targets,
        part: float,
    ) -> Verdict:
        if targets.tpot_s == inf:
            return OPEN
        work, pace = self._ledger.coefficients, self._pace(endpoint.address)
        alone_s = pace * work.step_s
        if alone_s >= targets.tpot_s:  # not even alone could it meet the target
            return OPEN
        step_s = pace * work.decode_step_s(standing.held + tokens, standing.requests)
        limit_s = alone_s + part * self.share.value * (targets.tpot_s - alone_s)
        return OPEN if step_s < limit_s else Verdict(Why.STEP)

    def _pace(self, address: str) -> float:
        """Return the factor on decode steps; as long as none was measured, that on prefill."""
        measured = self.paces.of(address)
        return self._ledger.ratio if measured is None else measured
