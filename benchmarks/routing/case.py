"""One run: what is simulated, and how it is repeated."""

from __future__ import annotations

import random

import msgspec
from msgspec import structs

from benchmarks.routing.clients import Clients
from benchmarks.routing.fleet import Fleet, FleetModel
from benchmarks.routing.measure import Measured, Targets, measure
from benchmarks.routing.policies.catalogue import POLICIES, Setting
from benchmarks.routing.prompts import CHARACTERS_PER_TOKEN, Prompts
from benchmarks.routing.trace import Trace


class Case(msgspec.Struct, frozen=True):
    """A policy, a load and a fleet. Equal cases give equal results."""

    policy: str
    qps: float
    seed: int = 0
    fleet: FleetModel = FleetModel()
    smooth: bool = True  # arrivals are spread over the trace's ticks
    characters: float = CHARACTERS_PER_TOKEN
    spread: float = 0.0  # of the characters per token, between conversations
    coefficients: float = 1.0  # the picker's belief in how long work takes, of what is true
    max_load_age_s: float = 2.0
    targets: Targets = Targets()  # what is measured by, and what the gate is told
    clients: Clients = Clients()
    shortest_prompt: int = 0  # tokens; shorter requests are not sent

    def with_seed(self, seed: int) -> Case:
        """Return the same with other arrivals and other lots."""
        return structs.replace(self, seed=seed)

    def run(self, trace: Trace) -> Measured:
        """Simulate it."""
        rng = random.Random(self.seed)
        chosen = trace.of_prompts(self.shortest_prompt)
        arrivals = self.clients.mark(chosen.arrivals(self.qps, rng if self.smooth else None))
        setting = Setting(
            rng,
            Prompts(self.characters, self.spread),
            self.fleet.pods[0].kv_tokens,
            self.max_load_age_s,
            self.coefficients,
            self.targets,
        )
        fleet = Fleet(self.fleet, POLICIES[self.policy](setting))
        jobs = fleet.run(arrivals)
        return measure(jobs, [r.at for r in arrivals], self.targets, fleet.retries)
