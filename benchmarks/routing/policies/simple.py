"""Policies that know nothing of language models."""

from __future__ import annotations

from benchmarks.routing.policies.rival import Rival
from benchmarks.routing.trace import Request


class RoundRobin(Rival):
    """One pod after the other."""

    _turn = -1

    def choose(self, request: Request, pods: list[int]) -> int:
        """Take the next."""
        self._turn += 1
        return pods[self._turn % len(pods)]


class LeastRequest(Rival):
    """The pod with the fewest requests under way."""

    def choose(self, request: Request, pods: list[int]) -> int:
        """Compare all."""
        return self.fewest(pods)


class PowerOfTwo(Rival):
    """The better of two that are drawn, as Envoy's least-request balancer has it."""

    def choose(self, request: Request, pods: list[int]) -> int:
        """Compare two."""
        return self.fewest(self.rng.sample(pods, min(2, len(pods))))
