"""What a request costs at an endpoint, in seconds: its own time, and that of others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.ledger.workload import Workload
from epp.scheduling.prefix.depths import Depths
from epp.scheduling.prefix.matches import PrefixMatches

# The terms that add up to the cost.
PARTS = (
    "queue_s",
    "prefill_s",
    "pressure_s",
    "stall_s",
    "output_s",
    "memory_wait_s",
    "load_s",
    "silence_s",
)
_UNSERVED = 20.0  # times the price of loading: a server that does not list a model has it seldom


class Prices(msgspec.Struct, frozen=True):
    """What the time of others counts, in seconds of the request's own."""

    pressure: float = 3.0  # a second of prefill, when as much of the fleet is idle as is busy
    stall: float = 0.05  # a second for which one decoding request is slowed down
    output: float = 0.15  # a second of the request's own decoding
    load: float = 5.0  # a model that is to be loaded
    silence: float = 5.0  # metrics that have died: perhaps the server has, too


class MarginalCost(msgspec.Struct, frozen=True):
    """One request's costs at the endpoints."""

    workload: Workload
    matches: PrefixMatches
    now: float
    prices: Prices = Prices()
    model: str = ""

    def costs(self, endpoints: Sequence[Endpoint]) -> list[float]:
        """Return the seconds that the request costs at each endpoint, in their order.

        The sums of `terms`, written for speed: this is what grows with the pool.
        """
        load, now = self.workload, self.now
        addresses = load.board.addresses_of(endpoints)
        pressure, stall = self.prices.pressure * load.pressure, self.prices.stall
        ratio, prompt = load.ratio, load.prompt
        output = ratio * self.prices.output * load.output
        rows = load.board.rates(addresses, load.idle.rates())
        costs = [
            ratio * queue * (empty_at - now)
            + work_s * (prefill + pressure * speed + stall * requests)
            + output * token_s
            if empty_at > now
            else work_s * (prefill + pressure * speed + stall * requests) + output * token_s
            for (empty_at, queue, speed, prefill, requests, token_s), work_s in zip(
                rows, self._works_s(addresses), strict=False
            )
        ]
        if load.board.short_of(prompt):
            standings = load.board.standings(addresses, load.idle)
            for i in [i for i, standing in enumerate(standings) if prompt > standing.room]:
                costs[i] += standings[i].memory_wait_s(prompt)
        for i in self._warming(addresses):
            costs[i] /= self._warmth(addresses[i])
        for i, seconds in self.on_top(endpoints).items():
            costs[i] += seconds
        return costs

    def on_top(self, endpoints: Sequence[Endpoint]) -> Mapping[int, float]:
        """Return, by their places, the seconds that come on top: to load the model, for silence."""
        if not (self.workload.models_differ or self.workload.silent):
            return {}
        found = {i: self._load_s(e) + self._silence_s(e) for i, e in enumerate(endpoints)}
        return {i: seconds for i, seconds in found.items() if seconds}

    def terms(self, endpoint: Endpoint) -> Mapping[str, float]:
        """Return the parts of one endpoint's cost, and what they come from."""
        load, standing = self.workload, self.workload.at(endpoint)
        queue_s = standing.queue_s(self.now)
        work_s = self._work_s(endpoint.address)
        unscaled = load.ratio / self._warmth(endpoint.address)
        load_s = self._load_s(endpoint)
        scale = unscaled * standing.speed
        return {
            "queue_s": scale * queue_s * standing.stretch,
            "prefill_s": scale * work_s * standing.stretch,
            "pressure_s": scale * work_s * self.prices.pressure * load.pressure,
            "stall_s": scale * work_s * self.prices.stall * standing.requests,
            "output_s": unscaled * self.prices.output * load.output * standing.token_s,
            "memory_wait_s": standing.memory_wait_s(load.prompt) / self._warmth(endpoint.address),
            "load_s": load_s,
            "silence_s": self._silence_s(endpoint),
            "ttft_s": load_s + load.first_token_s(standing, work_s, self.now),
            "tpot_s": load.token_s(standing),
            "prompt_tokens": load.prompt,
            "cached_tokens": load.prompt * self.matches.share_at(endpoint.address),
            "output_tokens": load.output,
            "requests": float(standing.requests),
            "held_tokens": standing.held,
            "speed": load.ratio * standing.speed,
        }

    def _works_s(self, addresses: Sequence[str]) -> Iterable[float]:
        """Return the prefill at each endpoint, as slow as the pool is.

        Most have one of a few depths of match.
        """
        matches, ratio = self.matches, self.workload.ratio
        if not matches.matched:
            return repeat(ratio * self.workload.prefill_s(0.0))
        works, matched = _Works(self.workload, matches), matches.matched
        board = self.workload.board
        places = board.places_of(addresses)
        if (
            places is not None
            and isinstance(matched, Depths)
            and (not matched.common or board.is_all(matched.common))
        ):
            found = _alike(works, matched, places, len(addresses))
        else:
            found = [works[depth] for depth in matches.depths(addresses)]
        if matches.trust:
            for place, address in enumerate(addresses):
                if address in matches.trust:
                    found[place] = ratio * self._work_s(address)
        return found

    def _load_s(self, endpoint: Endpoint) -> float:
        load = endpoint.load  # however old: it tells what was in memory last
        if load is None or not self.model:
            return 0.0
        if load.models is not None and self.model not in load.models:
            return _UNSERVED * self.prices.load
        return 0.0 if load.loaded is None or self.model in load.loaded else self.prices.load

    def _silence_s(self, endpoint: Endpoint) -> float:
        return self.prices.silence if endpoint.address in self.workload.silent else 0.0

    def _work_s(self, address: str) -> float:
        return self.workload.prefill_s(self.workload.prompt * self.matches.share_at(address))

    def _warming(self, addresses: Sequence[str]) -> list[int]:
        ramps = self.workload.ramps
        return [i for i, address in enumerate(addresses) if address in ramps] if ramps else []

    def _warmth(self, address: str) -> float:
        return 0.25 + 0.75 * self.workload.ramps.get(address, 1.0)


def _alike(works: _Works, matched: Depths, places: Mapping[str, int], count: int) -> list[float]:
    """Return the prefill at each of so many endpoints, which match alike but for a few."""
    found = [works[matched.depth]] * count
    for address, depth in matched.own.items():
        place = places.get(address, count)
        if place < count:
            found[place] = works[depth]
    return found


class _Works(dict[int, float]):
    """The prefill by the depth of match, worked out when it is first asked for."""

    __slots__ = ("_matches", "_workload")

    def __init__(self, workload: Workload, matches: PrefixMatches) -> None:
        super().__init__()
        self._workload = workload
        self._matches = matches

    def __missing__(self, depth: int) -> float:
        load = self._workload
        cached = load.prompt * self._matches.cached_share(depth)
        self[depth] = work_s = load.ratio * load.prefill_s(cached)
        return work_s
