"""What the engine has done so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from epp.demo.sim.engine import Step, Token
from epp.demo.sim.histogram import Histogram
from epp.demo.sim.job import Job

TOKENS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
STEP_TOKENS = (1, *(2**power for power in range(3, 15)))
FIRST_TOKEN_S = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75,
    1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560,
)  # fmt: skip
TOKEN_S = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75,
    1, 2.5, 5, 7.5, 10, 20, 40, 80,
)  # fmt: skip
REQUEST_S = (
    0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60,
    120, 240, 480, 960, 1920, 7680,
)  # fmt: skip


class Meter:
    """Counters and histograms, in simulated seconds."""

    def __init__(self) -> None:
        self.prompt_tokens = 0
        self.generation_tokens = 0
        self.queried_tokens = 0
        self.hit_tokens = 0
        self.preemptions = 0
        self.ended = Counter[str]()
        self.step_tokens = Histogram(STEP_TOKENS)
        self.request_prompt_tokens = Histogram(TOKENS)
        self.request_generation_tokens = Histogram(TOKENS)
        self.queue_s = Histogram(REQUEST_S)
        self.first_token_s = Histogram(FIRST_TOKEN_S)
        self.between_tokens_s = Histogram(TOKEN_S)
        self.per_token_s = Histogram(TOKEN_S)
        self.request_s = Histogram(REQUEST_S)

    def started(self, step: Step) -> None:
        """Count what a step takes up."""
        self.step_tokens.observe(step.tokens)
        self.preemptions += len(step.preempted)
        for job in step.admitted:
            self.queried_tokens += job.prompt_tokens
            self.hit_tokens += job.cached
            self.queue_s.observe(max(0.0, step.starts_at - job.arrived_at))

    def produced(self, tokens: Iterable[Token]) -> None:
        """Count what a step brought out, before the next begins."""
        for token in tokens:
            self.generation_tokens += 1
            if token.job.generated == 1:
                self.prompt_tokens += token.job.prompt_tokens
                self.first_token_s.observe(token.at - token.since)
            else:
                self.between_tokens_s.observe(token.at - token.since)
            if token.reason is not None:
                self._ended(token.job, token.at, token.reason)

    def aborted(self) -> None:
        """Count a request whose client went away."""
        self.ended["abort"] += 1

    def _ended(self, job: Job, at: float, reason: str) -> None:
        self.ended[reason] += 1
        self.request_prompt_tokens.observe(job.prompt_tokens)
        self.request_generation_tokens.observe(job.generated)
        self.request_s.observe(at - job.arrived_at)
        if job.first_token_at is not None and job.generated > 1:
            self.per_token_s.observe((at - job.first_token_at) / (job.generated - 1))
