"""llm-d's flow control before another policy."""

from __future__ import annotations

import math
from collections import deque

from benchmarks.routing.pod import Reading
from benchmarks.routing.policies.detectors import Detector
from benchmarks.routing.policies.policy import End, Placed, Policy
from benchmarks.routing.trace import Request

_TICK_S = 0.005  # until it looks again whether the pool is still saturated


class Detected:
    """Requests wait, first come first served, while the whole pool is saturated.

    Which endpoint a request prefers is asked when it is let through. One that has waited `ttl_s` is
    refused.
    """

    def __init__(self, inner: Policy, detector: Detector, ttl_s: float) -> None:
        self._inner = inner
        self._detector = detector
        self._ttl_s = ttl_s
        self._readings: dict[int, Reading | None] = {}
        self._flights: dict[int, int] = {}
        self._waiting: deque[tuple[float, Request]] = deque()
        self._placed: list[Placed] = []

    def join(self, pod: int) -> None:
        """Count it, without metrics."""
        self._readings[pod] = None
        self._inner.join(pod)

    def leave(self, pod: int) -> None:
        """Count it no longer."""
        del self._readings[pod]
        self._inner.leave(pod)

    def report(self, pod: int, reading: Reading) -> None:
        """Keep the last reading."""
        self._readings[pod] = reading
        self._inner.report(pod, reading)

    def pick(self, request: Request, now: float) -> int | None:
        """Let it wait behind the others, then let through whoever may go."""
        self._waiting.append((now, request))
        self.advance(now)
        return None

    def first_token(self, request: Request, now: float) -> None:
        """Tell the policy."""
        self._inner.first_token(request, now)

    def end(self, request: Request, end: End, now: float) -> None:
        """Tell the policy, then look who may go."""
        self._inner.end(request, end, now)
        self._flights.pop(request.number, None)
        self.advance(now)

    def advance(self, now: float) -> None:
        """Refuse who has waited long enough; one by one, let the first through."""
        waiting = self._waiting
        while waiting and now >= waiting[0][0] + self._ttl_s:  # as `next_at` adds it up
            self._placed.append(Placed(waiting.popleft()[1], None))
        while waiting and not self._saturated(now):
            request = waiting.popleft()[1]
            pod = self._inner.pick(request, now)
            assert pod is not None
            self._flights[request.number] = pod
            self._placed.append(Placed(request, pod))

    def next_at(self, now: float) -> float:
        """Look again soon, as long as somebody waits."""
        if not self._waiting:
            return math.inf
        return min(now + _TICK_S, max(now, self._waiting[0][0] + self._ttl_s))

    def take_placed(self) -> list[Placed]:
        """Return, once, those that wait no longer."""
        placed, self._placed = self._placed, []
        return placed

    def _saturated(self, now: float) -> bool:
        return self._detector.saturation(self._readings, self._flights, now) >= 1.0
