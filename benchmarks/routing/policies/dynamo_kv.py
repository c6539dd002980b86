"""The KV router of NVIDIA Dynamo."""

from __future__ import annotations

from benchmarks.routing.policies.rival import Rival
from benchmarks.routing.trace import Request


class DynamoKV(Rival):
    """The least sum of tokens to compute and tokens held, that of the request included.

    Defaults: overlap 1, no decay, no softmax, ties by lot.
    """

    def choose(self, request: Request, pods: list[int]) -> int:
        """Compare the cost of all."""
        return self.least(pods, lambda pod: self._cost(request, pod))

    def _cost(self, request: Request, pod: int) -> float:
        books = self.books[pod]
        prefill = books.queued_tokens + self.uncached(request, pod)
        return prefill + books.tokens + request.input_tokens
