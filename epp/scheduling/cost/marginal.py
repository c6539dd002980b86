"""What a request costs at an endpoint, in seconds: its own time, and that of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.ledger.workload import Workload
from epp.scheduling.prefix.matches import PrefixMatches


class Prices(msgspec.Struct, frozen=True):
    """What the time of others counts, in seconds of the request's own."""

    pressure: float = 3.0  # a second of prefill, when as much of the fleet is idle as is busy
    stall: float = 0.05  # a second for which one decoding request is slowed down
    output: float = 0.15  # a second of the request's own decoding


class MarginalCost(msgspec.Struct, frozen=True):
    """One request's costs at the endpoints."""

    workload: Workload
    matches: PrefixMatches
    now: float
    prices: Prices = Prices()

    def costs(self, endpoints: Sequence[Endpoint]) -> list[float]:
        """Return the seconds that the request costs at each endpoint, in their order.

        The sums of `terms`, written for speed: this is all that grows with the pool.
        """
        load, now, matched = self.workload, self.now, self.matches.matched
        standings, idle, ramps = load.standings, load.idle, load.ramps
        pressure, stall = self.prices.pressure * load.pressure, self.prices.stall
        output, ratio, prompt = self.prices.output * load.output, load.ratio, load.prompt
        works = {0: load.prefill_s(0.0)}
        nothing = works[0]
        costs = []
        for endpoint in endpoints:
            address = endpoint.address
            standing = standings.get(address, idle)
            at, queue_s, drain, requests, stretch, step_s, speed, room, *_ = standing
            if queue_s and (queue_s := queue_s - (now - at) * drain) < 0.0:
                queue_s = 0.0
            work_s = self._work_s(address, works) if address in matched else nothing
            cost = (queue_s + work_s) * stretch + work_s * (pressure + stall * requests)
            cost = ratio * speed * (cost + output * step_s)
            if prompt > room:
                cost += standing.memory_wait_s(prompt)
            costs.append(cost)
        if ramps:
            self._ramp(costs, endpoints, ramps)
        return costs

    def terms(self, endpoint: Endpoint) -> Mapping[str, float]:
        """Return the parts of one endpoint's cost, and what they come from."""
        load, standing = self.workload, self.workload.at(endpoint)
        queue_s = standing.queue_s(self.now)
        work_s = self._work_s(endpoint.address, {})
        scale = load.ratio * standing.speed / self._warmth(endpoint.address)
        return {
            "queue_s": scale * queue_s * standing.stretch,
            "prefill_s": scale * work_s * standing.stretch,
            "pressure_s": scale * work_s * self.prices.pressure * load.pressure,
            "stall_s": scale * work_s * self.prices.stall * standing.requests,
            "output_s": scale * self.prices.output * load.output * standing.step_s,
            "memory_wait_s": standing.memory_wait_s(load.prompt) / self._warmth(endpoint.address),
            "ttft_s": load.first_token_s(standing, work_s, self.now),
            "tpot_s": load.token_s(standing),
            "prompt_tokens": load.prompt,
            "cached_tokens": load.prompt * self.matches.share_at(endpoint.address),
            "output_tokens": load.output,
            "requests": float(standing.requests),
            "held_tokens": standing.held,
            "speed": load.ratio * standing.speed,
        }

    def _work_s(self, address: str, works: dict[int, float]) -> float:
        """Return the prefill at one endpoint; `works` remembers it by the depth of the match."""
        load, matches = self.workload, self.matches
        if address in matches.trust:
            return load.prefill_s(load.prompt * matches.share_at(address))
        depth = matches.matched.get(address, 0)
        if depth not in works:
            works[depth] = load.prefill_s(load.prompt * matches.cached_share(depth))
        return works[depth]

    def _warmth(self, address: str) -> float:
        return 0.25 + 0.75 * self.workload.ramps.get(address, 1.0)

    def _ramp(
        self, costs: list[float], endpoints: Sequence[Endpoint], ramps: Mapping[str, float]
    ) -> None:
        for i, endpoint in enumerate(endpoints):
            if endpoint.address in ramps:
                costs[i] /= self._warmth(endpoint.address)
