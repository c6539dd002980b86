"""How long one step of a model server takes."""

from __future__ import annotations

import math

import msgspec


class StepTime(msgspec.Struct, frozen=True):
    """Seconds of a step, from what it computes. Defaults: Llama-3.1-8B, bf16, one H100.

    The README says where the coefficients come from.
    """

    floor_s: float = 6.0e-3  # reading the weights once
    base_s: float = 2.9e-3
    token_s: float = 21.8e-6  # linear layers, for each token of the step
    attention_s: float = 1.31e-9  # for each pair of a prompt token and a token before it
    context_s: float = 76.2e-9  # reading the KV cache, for each token of a decoding context
    overhead_s: float = 1.15e-3
    request_s: float = 4.4e-6  # for each request of the batch

    def step(self, tokens: int, pairs: float, context: int, batch: int) -> float:
        """Return the seconds of a step that computes `tokens` for `batch` requests."""
        linear = max(self.floor_s, self.base_s + self.token_s * tokens)
        return (
            linear
            + self.attention_s * pairs
            + self.context_s * context
            + self.overhead_s
            + self.request_s * batch
        )


class Stretch(msgspec.Struct, frozen=True):
    """Steps in a row, each longer than the one before by the same amount."""

    steps: int
    first_s: float
    growth_s: float = 0.0

    def length(self, steps: int) -> float:
        """Return the seconds of the first `steps` steps."""
        return steps * self.first_s + self.growth_s * (steps * (steps - 1) // 2)

    def done_after(self, elapsed_s: float) -> int:
        """Return how many whole steps fit into `elapsed_s`; the last never counts as done."""
        half = self.first_s - self.growth_s / 2
        if self.growth_s <= 0.0:
            count = int(elapsed_s / self.first_s)
        else:
            root = math.sqrt(half * half + 2 * self.growth_s * elapsed_s)
            count = int((root - half) / self.growth_s)
        return max(0, min(count, self.steps - 1))

    def after(self, steps: int) -> Stretch:
        """Return what is left when `steps` steps are done."""
        return Stretch(self.steps - steps, self.first_s + steps * self.growth_s, self.growth_s)
