"""LMetric: one product, without parameters."""

from __future__ import annotations

from benchmarks.routing.policies.rival import Rival
from benchmarks.routing.trace import Request


class LMetric(Rival):
    """The least product of tokens to compute and requests."""

    def choose(self, request: Request, pods: list[int]) -> int:
        """Compare the product of all."""
        return self.least(pods, lambda pod: self._cost(request, pod))

    def _cost(self, request: Request, pod: int) -> float:
        books = self.books[pod]
        return (books.queued_tokens + self.uncached(request, pod)) * (books.requests + 1)
