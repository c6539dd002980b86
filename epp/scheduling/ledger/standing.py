"""Where one endpoint stands, as one request sees it."""

from __future__ import annotations

from math import inf
from typing import TypeAlias

import msgspec

# What of a request's cost comes from the endpoint, multiplied out as far as that goes. A choice
# unpacks hundreds of them, and of a named tuple that takes three times as long.
Rates: TypeAlias = tuple[
    float,  # empty_at: the monotonic second in which the queue will be worked off
    float,  # queue: for each second until then
    float,  # speed
    float,  # prefill: for each second of prefill, stretched by decoding
    float,  # requests: for each second of prefill, those whom it holds up
    float,  # token_s: for each token of the answer
]


class Standing(msgspec.Struct, frozen=True):
    """The work that an endpoint has; a new one is made at each change.

    All times but `at` are what the coefficients say; `speed` is how much longer this endpoint takes
    than the pool does.
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
    freed: float = inf  # tokens a second that ended requests give back
    to_compute: float = 0.0  # prompt tokens without a first token that were not cached
    token_s: float = 0.0  # one token of an answer, with the prefill of others in between

    def queue_s(self, now: float) -> float:
        """Return the prefill that is still to be answered at `now`."""
        return max(0.0, self.queued_s - max(0.0, now - self.at) * self.drain)

    def memory_wait_s(self, tokens: float) -> float:
        """Return the time until the KV cache has room for a request of so many tokens."""
        if tokens <= self.room:
            return 0.0
        return (tokens - self.room) / self.freed

    def rates(self) -> Rates:
        """Return the prices here, without the wait for memory: most have room.

        `speed` is in those of prefill only: if it were in those of decoding too, all that is long
        would go to the fastest endpoints, and what decodes there would stall.
        """
        stretched = self.speed * self.stretch
        return (
            self.at + self.queued_s / self.drain,
            self.drain * stretched,
            self.speed,
            stretched,
            self.speed * self.requests,
            self.token_s,
        )
