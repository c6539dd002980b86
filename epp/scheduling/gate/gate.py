"""Which endpoints can take a request so that it, and those that are there, meet their targets."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import msgspec

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.scheduling.decision import Decision, Outcome
from epp.scheduling.gate.paces import Paces
from epp.scheduling.gate.settings import GateSettings
from epp.scheduling.gate.share import Share
from epp.scheduling.gate.targets import Targets
from epp.scheduling.gate.verdict import MEMORY, OPEN, STEP, Verdict, Why
from epp.scheduling.ledger.standing import Standing
from epp.scheduling.ledger.workload import Workload
from epp.scheduling.producers.work_ledger import LEDGER, WorkLedgerProducer
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

    In the scheduler it is a producer, so that it hears of every request; its fact about one are the
    targets.
    """

    def __init__(self, settings: GateSettings, ledger: WorkLedgerProducer) -> None:
        self.settings = settings
        self.share = Share(settings.first_share)
        self.paces = Paces()
        self._ledger = ledger
        self._work = ledger.coefficients
        self._idle = 1.0  # the share of an endpoint's time that is no prefill, at the latest pick
        self._seen_at: dict[str, float] = {}  # when an answer was read
        self._told_at: dict[str, float] = {}  # of the metrics that were heard last

    def __repr__(self) -> str:
        return f"<Gate {self.share!r}, {self.paces!r}>"

    def verdict(
        self, endpoint: Endpoint, tokens: float, targets: Targets, now: float, part: float = 1.0
    ) -> Verdict:
        """Say whether a request with a prompt of so many tokens may go there.

        With `part` below 1 it may only where it leaves room for others: that much of what an
        endpoint may have to do.
        """
        standing = self._ledger.standing(endpoint)
        address, load = endpoint.address, endpoint.load
        if load is not None and load.at > self._told_at.get(address, -inf):
            self._hear(address, load, standing, now)
        if standing.requests <= 0:
            return OPEN
        if tokens > standing.room:
            return MEMORY
        settings = self.settings
        hold_s = part * min(settings.hold_share * targets.ttft_s, settings.longest_hold_s)
        queue_s = standing.queued_s / standing.drain - max(0.0, now - standing.at)
        if queue_s >= hold_s:
            return Verdict(Why.QUEUE, now + queue_s - hold_s)
        if targets.tpot_s == inf:
            return OPEN
        return self._step(address, standing, tokens, targets, part)

    def tokens(self, query: Query) -> float:
        """Return the length of a request's prompt, estimated; `query` has the facts of a choice."""
        return query.fact(LEDGER, Workload).prompt

    def work_s(self, query: Query, endpoint: Endpoint) -> float:
        """Return the prefill that a request needs there; `query` has the facts of a choice."""
        return self._ledger.work_s(query, endpoint)

    def prefill_s(self, endpoint: Endpoint, work_s: float) -> float:
        """Return what so much prefill takes there, by what was learned of the endpoint."""
        return self._ledger.ratio * self._ledger.standing(endpoint).speed * work_s

    def step_s(self, endpoint: Endpoint) -> float:
        """Return what a decode step takes there now."""
        pace = self.paces.of(endpoint.address) or self._ledger.ratio
        return pace * self._ledger.standing(endpoint).step_s

    def produce(self, query: Query, endpoints: Sequence[Endpoint]) -> Targets:
        """Return the targets of a request: its own, its model's, or the pool's."""
        settings = self.settings
        asked = settings.models.get(query.model, settings.targets).asked_by(query.headers)
        if not asked.ttft_token_s:
            return asked
        return asked.for_prompt(self._ledger.prompt_tokens(query))

    def reserve(self, query: Query, decision: Decision, fact: Targets) -> Planned:
        """Note what is expected of the request."""
        workload = query.fact(LEDGER, Workload)
        self._idle = 1.0 - min(_MOST_BUSY, workload.ratio * workload.dispatched)
        standing = self._ledger.standing(decision.winner)
        step_s = self._work.decode_step_s(standing.held, standing.decoding + 1)
        return Planned(fact.tpot_s, step_s / self._idle)

    def release(
        self, query: Query, decision: Decision, held: Planned, outcome: Outcome, now: float
    ) -> None:
        """Learn from the time between the tokens, where somebody has seen them."""
        if outcome.itl_s is None:
            return
        address = decision.winner.address
        self._seen_at[address] = now
        self.paces.learn(address, outcome.itl_s, held.step_s)
        if held.target_s < inf:
            self.share.learn(outcome.itl_s, held.target_s, outcome.completion_tokens or 0)

    def forget(self, endpoint: Endpoint) -> None:
        """Drop what is known of an endpoint that left."""
        self.paces.forget(endpoint.address)
        self._seen_at.pop(endpoint.address, None)
        self._told_at.pop(endpoint.address, None)

    def _hear(self, address: str, load: Load, standing: Standing, now: float) -> None:
        """Learn from what the server says of the time between tokens, where no answers are read."""
        self._told_at[address] = load.at
        if load.itl_s is None or now - self._seen_at.get(address, -inf) <= _OWN_COUNT_S:
            return
        running = standing.decoding if load.running is None else load.running
        if running > 0:
            step_s = self._work.decode_step_s(standing.held, running)
            self.paces.learn(address, load.itl_s, step_s / self._idle)

    def _step(
        self, address: str, standing: Standing, tokens: float, targets: Targets, part: float
    ) -> Verdict:
        # As long as no pace was measured, that of prefill will do.
        work, pace = self._work, self.paces.of(address) or self._ledger.ratio
        alone_s = pace * work.step_s
        if alone_s >= targets.tpot_s:  # not even alone could it meet the target
            return OPEN
        step_s = pace * work.decode_step_s(standing.held + tokens, standing.requests)
        limit_s = alone_s + part * self.share.value * (targets.tpot_s - alone_s)
        return OPEN if step_s < limit_s else STEP
