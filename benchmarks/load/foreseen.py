"""The same requests in the simulated fleet of `benchmarks/routing`: what ought to be seen.

It has servers of its own, in virtual time, and the production scheduler. What it says and what a
real-time run measures can only agree if the machine carried the run.
"""

from __future__ import annotations

import random

from benchmarks.load.offer import Offer
from benchmarks.load.outcome import TARGETS, Outcome
from benchmarks.routing.fleet import Fleet
from benchmarks.routing.measure import measure
from benchmarks.routing.policies.catalogue import POLICIES, Setting
from benchmarks.routing.prompts import CHARACTERS_PER_TOKEN, Prompts
from benchmarks.routing.scenarios import fleet_of

SCRAPE_S = 0.05  # how often the picker asks a busy server


def foreseen(policy: str, offer: Offer, replicas: int) -> Outcome:
    """Simulate it."""
    fleet, requests = fleet_of(replicas, SCRAPE_S), offer.requests()
    setting = Setting(
        random.Random(offer.seed),
        Prompts(CHARACTERS_PER_TOKEN, 0.0),
        fleet.pods[0].kv_tokens,
        2.0,
        1.0,
        TARGETS,
    )
    jobs = Fleet(fleet, POLICIES[policy](setting)).run(requests)
    found = measure(jobs, [request.at for request in requests], TARGETS, 0)
    return Outcome.simulated(len(requests), found)
