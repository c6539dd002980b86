"""Engines small enough to be followed by hand, played in virtual time."""

from __future__ import annotations

from epp.demo.sim.cost import Coefficients
from epp.demo.sim.engine import Engine, Limits, Step, Token
from epp.demo.sim.job import Job
from epp.demo.sim.tokens import TOKEN_BYTES

TICK = Coefficients(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)  # every step takes a second


def job(prompt: str, max_tokens: int = 1, *, at: float = 0.0, root: int = 0) -> Job:
    """A request whose prompt has one token for each letter."""
    content = "".join(letter * TOKEN_BYTES for letter in prompt).encode()
    return Job(bytearray(content), fingerprint=1, max_tokens=max_tokens, arrived_at=at, root=root)


def engine(blocks: int = 64, seats: int = 8, budget: int = 64, block_size: int = 4) -> Engine:
    """An engine in which every step takes a second."""
    return Engine(Limits(blocks, block_size, seats, budget), TICK)


class Play:
    """Names the jobs of an engine, so that steps can be read."""

    def __init__(self, engine: Engine, **jobs: Job) -> None:
        self.engine = engine
        self.names = {job: name for name, job in jobs.items()}
        self.now = 0.0
        for each in jobs.values():
            engine.submit(each)

    def submit(self, **jobs: Job) -> None:
        for name, each in jobs.items():
            self.names[each] = name
            self.engine.submit(each)

    def start(self) -> dict[str, int]:
        """Begin a step and return how many tokens of whom it computes."""
        step = self.begin()
        return {self.names[each]: chunk.tokens for each, chunk in step.work} if step else {}

    def begin(self) -> Step | None:
        step = self.engine.start(self.now)
        if step is not None:
            self.now = step.ends_at
        return step

    def finish(self) -> str:
        """End the step and return whose tokens came out; a capital is a last one."""
        return "".join(self._spelt(token) for token in self.engine.finish())

    def _spelt(self, token: Token) -> str:
        name = self.names[token.job]
        return name.upper() if token.reason else name

    def step(self) -> tuple[dict[str, int], str]:
        return self.start(), self.finish()

    def drain(self, most: int = 10_000) -> list[Token]:
        """Play to the end, which must come."""
        tokens: list[Token] = []
        for _ in range(most):
            if self.begin() is None:
                return tokens
            tokens += self.engine.finish()
        raise AssertionError(f"{self.engine!r} does not come to an end")
