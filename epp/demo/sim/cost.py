"""How long a step takes."""

from __future__ import annotations

import msgspec


class Coefficients(msgspec.Struct, frozen=True):
    """Seconds that each part of a step costs; the defaults are Llama 3.1 8B, bf16, on one H100.

    Reading the weights costs the same for one token as for many, hence the floor.
    """

    floor_s: float = 6.0e-3
    base_s: float = 2.9e-3
    per_token_s: float = 21.8e-6
    per_prefill_token_and_context_s: float = 1.31e-9
    per_decode_context_s: float = 76.2e-9
    overhead_s: float = 1.15e-3
    per_request_s: float = 4.4e-6


H100_8B = Coefficients()


class Chunk(msgspec.Struct, frozen=True):
    """What one request adds to a step: `tokens` new ones behind `context` known ones."""

    tokens: int
    context: int


def step_time(chunks: list[Chunk], cost: Coefficients = H100_8B) -> float:
    """Return the seconds of a step over these chunks.

    A single token reads the keys and values of its whole context, as memory-bound as any decode,
    whether it was sampled or is the rest of a prompt. A token of a longer chunk sees on average
    half of that chunk besides the context.
    """
    tokens = sum(chunk.tokens for chunk in chunks)
    read = sum(chunk.context for chunk in chunks if chunk.tokens == 1)
    attended = sum(
        chunk.tokens * (chunk.context + chunk.tokens / 2) for chunk in chunks if chunk.tokens > 1
    )
    return (
        max(cost.floor_s, cost.base_s + cost.per_token_s * tokens)
        + cost.per_prefill_token_and_context_s * attended
        + cost.per_decode_context_s * read
        + cost.overhead_s
        + cost.per_request_s * len(chunks)
    )
