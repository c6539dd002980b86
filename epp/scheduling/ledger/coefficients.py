"""What work costs a model server."""

from __future__ import annotations

import msgspec


class Coefficients(msgspec.Struct, frozen=True):
    """Seconds of a server's time; the defaults are those of an 8B model on one H100.

    They need not be right: what a server really takes is learned as a factor on all of them.
    """

    token_s: float = 21.8e-6  # for each token that is computed
    pair_s: float = 1.31e-9  # for each pair of a computed token and one before it
    step_s: float = 7.15e-3  # one decode step of an idle server
    step_token_s: float = 76e-9  # more of it for each token that requests hold
    step_request_s: float = 4.4e-6  # more of it for each request that decodes
    chunk_s: float = 0.2  # prefill between two decode steps

    def prefill_s(self, tokens: float, uncached: float) -> float:
        """Return the time to compute the last `uncached` of a prompt's `tokens`."""
        return uncached * (self.token_s + self.pair_s * (tokens - uncached / 2.0))

    def decode_step_s(self, held: float, decoding: int) -> float:
        """Return the time of one decode step with so many tokens held and requests in it."""
        return self.step_s + self.step_token_s * held + self.step_request_s * decoding
