"""Where one endpoint stands, as one request sees it."""

from __future__ import annotations

from math import inf
from typing import NamedTuple


class Standing(NamedTuple):
    """The work that an endpoint has; a new one is made at each change.

    A tuple and not a struct: a choice unpacks hundreds of them. All times but `at` are what the
    coefficients say, and so are the tokens; `speed` is how much longer this endpoint takes than the
    pool does.
    """

    at: float = 0.0  # the monotonic second of which `queued_s` tells
    queued_s: float = 0.0  # prefill not yet answered
    drain: float = 1.0  # of `queued_s`, how much is done in a second
    requests: int = 0  # in flight, other clients' included
    stretch: float = 1.0  # how much decoding slows a prefill down, 1 or more
    step_s: float = 0.0  # one decode step
    speed: float = 1.0
    room: float = inf  # tokens that the KV cache can still take; below 0 it is overcommitted
    held: float = 0.0  # prompt tokens of the requests in flight
    decoding: int = 0  # requests whose answer began
    capacity: float = 0.0  # tokens of the KV cache; 0: unknown
    freed: float = 0.0  # tokens a second that ended requests gave back, as of `at`

    def queue_s(self, now: float) -> float:
        """Return the prefill that is still to be answered at `now`."""
        return max(0.0, self.queued_s - (now - self.at) * self.drain)

    def memory_wait_s(self, tokens: float) -> float:
        """Return the time until the KV cache has room for a request of so many tokens."""
        if tokens <= self.room:
            return 0.0
        return (tokens - self.room) / max(self.freed, self.capacity / 40.0)
