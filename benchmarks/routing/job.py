"""A request inside a model server."""

from __future__ import annotations

from math import inf

from benchmarks.routing.memory import BLOCK_TOKENS, SPAN_BLOCKS, SPAN_TOKENS
from benchmarks.routing.trace import Request


class Job:
    """What a pod has done of a request so far."""

    __slots__ = (
        "blocks",
        "cached",
        "computed",
        "finished_at",
        "first_at",
        "generated",
        "phase",
        "preempted",
        "request",
        "spans",
        "started_at_step",
        "target",
    )

    def __init__(self, request: Request) -> None:
        self.request = request
        self.target = request.input_tokens  # tokens to compute before the next one comes out
        self.computed = 0
        self.spans = 0  # leading spans of the prompt that it holds together with others
        self.blocks = 0  # blocks of its own
        self.generated = 0
        self.cached = 0  # tokens found in the cache when it was first admitted
        self.preempted = 0
        self.started_at_step = 0  # counts of the pod's decoding steps
        self.phase = 0
        self.first_at = 0.0
        self.finished_at = 0.0

    def __repr__(self) -> str:
        return f"<Job {self.request.number}: {self.computed} of {self.target}, {self.generated}>"

    @property
    def refused(self) -> bool:
        """Whether it never came to a pod."""
        return self.first_at == inf

    def refuse(self) -> None:
        """Have no answer."""
        self.first_at = self.finished_at = inf

    @property
    def reusable(self) -> int:
        """The number of whole spans that may be found in a cache: the last token is not."""
        return (self.target - 1) // SPAN_TOKENS

    def missing_blocks(self, tokens: int) -> int:
        """Return the blocks to add before `tokens` fit."""
        return -(-tokens // BLOCK_TOKENS) - SPAN_BLOCKS * self.spans - self.blocks

    def begin_again(self) -> None:
        """Forget all that was computed; what was generated is then part of the prompt."""
        self.target = self.request.input_tokens + self.generated
        self.computed = 0
        self.spans = 0
        self.blocks = 0
        self.preempted += 1
