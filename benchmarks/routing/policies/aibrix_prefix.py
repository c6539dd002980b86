"""AIBrix's prefix-cache policy."""

from __future__ import annotations

import statistics

from benchmarks.routing.policies.rival import Rival
from benchmarks.routing.trace import Request

IMBALANCE = 8  # requests
DEVIATIONS = 1.0


class AibrixPrefix(Rival):
    """The best match among pods that are not far busier than the mean."""

    def choose(self, request: Request, pods: list[int]) -> int:
        """Balance first, then longest match, then fewest requests."""
        counts = {pod: self.books[pod].requests for pod in pods}
        if max(counts.values()) - min(counts.values()) > IMBALANCE:
            return self.fewest(pods)
        limit = statistics.fmean(counts.values()) + DEVIATIONS * statistics.pstdev(counts.values())
        matches = {pod: self.prefixes.tokens(pod, request.ids) for pod in pods}
        able = [pod for pod in pods if matches[pod] and counts[pod] <= limit]
        if not able:
            return self.fewest(pods)
        longest = max(matches[pod] for pod in able)
        return self.fewest([pod for pod in able if matches[pod] == longest])
