"""What the ledger knows, as one request sees it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.ledger.board import Board
from epp.scheduling.ledger.coefficients import Coefficients
from epp.scheduling.ledger.standing import Standing
from epp.scheduling.prefix.matches import PrefixMatches

IDLE = Standing()
_MOST_PRESSURE = 4.0


class Workload(msgspec.Struct, frozen=True):
    """The request's own size and the standing of every endpoint."""

    board: Board = msgspec.field(default_factory=Board)
    coefficients: Coefficients = Coefficients()
    idle: Standing = IDLE  # of an endpoint without an account
    prompt: float = 0.0  # tokens, estimated; 0: the prompt is not known
    output: float = 0.0  # tokens that the answer will probably have
    ratio: float = 1.0  # what the pool takes, as a multiple of what the coefficients say
    plausible: bool = True  # the coefficients are of the right order
    dispatched: float = 0.0  # seconds of prefill in a second, for each endpoint
    young: bool = False  # other requests are under way than the ledger knows
    picks: int = 0  # so far: what draws lots
    ramps: Mapping[str, float] = {}  # 0 to 1: how warm the endpoints are that joined lately
    uncached: float = 0.0  # mean tokens that a request has to compute
    models_differ: bool = False  # between the endpoints, in what they list or have in memory
    silent: Collection[str] = ()  # those whose metrics have died; where all have, they are known

    def at(self, endpoint: Endpoint) -> Standing:
        """Return the standing of one endpoint."""
        return self.board.at(endpoint.address) or self.idle

    @property
    def pressure(self) -> float:
        """Idle time that is left for each busy second, turned over: the queue that grows."""
        busy = self.dispatched * self.ratio
        return min(_MOST_PRESSURE, busy / (1.0 - busy)) if busy < 1.0 else _MOST_PRESSURE

    def uncached_at(self, matches: PrefixMatches, address: str) -> float:
        """Return the tokens of the prompt that one endpoint would have to compute."""
        return self.prompt * (1.0 - matches.share_at(address))

    def ttft_s(self, matches: PrefixMatches, endpoint: Endpoint, now: float) -> float:
        """Predict the time to the first token at one endpoint."""
        work_s = self.prefill_s(self.prompt * matches.share_at(endpoint.address))
        return self.first_token_s(self.at(endpoint), work_s, now)

    def prefill_s(self, cached: float) -> float:
        """Return the time to compute the prompt where `cached` of its tokens are there already."""
        return self.coefficients.prefill_s(self.prompt, max(1.0, self.prompt - cached))

    def first_token_s(self, standing: Standing, work_s: float, now: float) -> float:
        """Predict the time to the first token of a request that needs `work_s` of prefill."""
        computed = (standing.queue_s(now) + work_s) * standing.stretch + standing.step_s
        wait_s = standing.memory_wait_s(self.prompt)
        return self.ratio * standing.speed * computed + wait_s

    def token_s(self, standing: Standing) -> float:
        """Predict the time from one token of the answer to the next."""
        work = self.coefficients
        step_s = work.decode_step_s(standing.held + self.prompt, standing.decoding + 1)
        return self.ratio * standing.speed * step_s
