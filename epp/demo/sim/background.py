"""Requests that a replica makes up for itself, so that it is busy before anybody asks."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from epp.demo.sim.tokens import TOKEN_BYTES

PROMPT_TOKENS = (64, 4096)
ANSWER_TOKENS = (32, 256)


def arrivals(rng: Random, per_second: float) -> Iterator[tuple[float, bytes, int]]:
    """Yield for each request the seconds since the one before, its prompt and its answer's length.

    No two prompts share anything: what they take from the cache they never give back.
    """
    while per_second:
        yield (
            rng.expovariate(per_second),
            rng.randbytes(rng.randint(*PROMPT_TOKENS) * TOKEN_BYTES),
            rng.randint(*ANSWER_TOKENS),
        )
