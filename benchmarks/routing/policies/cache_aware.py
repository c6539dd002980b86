"""The cache-aware policy of the sglang gateway and vllm-router."""

from __future__ import annotations

from benchmarks.routing.policies.rival import Rival
from benchmarks.routing.trace import Request

THRESHOLD = 0.3  # defaults of its command line
ABSOLUTE = 64
RELATIVE = 1.5


class CacheAware(Rival):
    """The best match, or the pod with the smallest index; the least load if loads differ much."""

    def choose(self, request: Request, pods: list[int]) -> int:
        """Look at the balance first."""
        loads = [self.books[pod].requests for pod in pods]
        if max(loads) - min(loads) > ABSOLUTE and max(loads) > RELATIVE * min(loads):
            return self.fewest(pods)
        best = self.least(pods, lambda pod: self.uncached(request, pod))
        if 1.0 - self.uncached(request, best) / request.input_tokens > THRESHOLD:
            return best
        return self.least(pods, self.prefixes.size)
