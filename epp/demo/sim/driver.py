"""Playing the engine's virtual time in real time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

import msgspec

from epp.demo.sim.engine import Engine, Step, Token
from epp.demo.sim.job import Job
from epp.demo.sim.meter import Meter

# A step that ends late is made up for by the next ones, or timers that round up and a machine that
# pauses would make the hardware slower. One that is so late has no time to make up: it is lost.
LARGEST_LAG_S = 1.0


class Ticket:
    """What whoever submitted a request holds: its tokens, and the right to give up."""

    def __init__(self, job: Job, give_up: Callable[[Job], None]) -> None:
        self.job = job
        self._give_up = give_up
        self._tokens = asyncio.Queue[Token | None]()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def ended(self) -> bool:
        """Whether the answer came to its end."""
        return self.job.generated >= self.job.max_tokens

    async def tokens(self) -> AsyncIterator[Token]:
        """Yield each token as it comes, to the last or until the ticket is closed."""
        while (token := await self._tokens.get()) is not None:
            yield token
            if token.reason is not None:
                return

    def put(self, token: Token) -> None:
        """Deliver a token."""
        self._tokens.put_nowait(token)

    def close(self) -> None:
        """Give the request up, unless it has ended."""
        self._give_up(self.job)
        self._tokens.put_nowait(None)


class Lateness(msgspec.Struct):
    """How far the machine kept up with what it simulates; simulated seconds."""

    steps: int = 0
    worked_s: float = 0.0  # that the steps took
    late_s: float = 0.0  # sum over the steps of how much later their tokens came out
    lost_s: float = 0.0  # that could not be made up for

    def note(self, late_s: float, took_s: float, *, lost: bool) -> None:
        """Count a step."""
        self.steps += 1
        self.worked_s += took_s
        self.late_s += late_s
        self.lost_s += late_s if lost else 0.0


class Driver:
    """Steps an engine while it has work, `time_scale` simulated seconds in a real one."""

    def __init__(self, engine: Engine, meter: Meter, time_scale: float = 1.0) -> None:
        self._engine = engine
        self._meter = meter
        self._time_scale = time_scale
        self._tickets: dict[Job, Ticket] = {}
        self._submitted = asyncio.Event()
        self.lateness = Lateness()

    def now(self) -> float:
        """Return the simulated time."""
        return asyncio.get_running_loop().time() * self._time_scale

    async def sleep(self, simulated_s: float) -> None:
        """Wait for so long in simulated time."""
        await asyncio.sleep(simulated_s / self._time_scale)

    def submit(self, job: Job) -> Ticket:
        """Queue a request."""
        self._engine.submit(job)
        self._submitted.set()
        ticket = self._tickets[job] = Ticket(job, self._abort)
        return ticket

    async def run(self) -> None:
        """Step until cancelled."""
        next_at: float | None = None  # the end of the step before; None: now
        while True:
            self._submitted.clear()
            step = self._engine.start(self.now() if next_at is None else next_at)
            if step is not None:
                self._meter.started(step)
                await self.sleep(max(0.0, step.ends_at - self.now()))
                self._deliver(self._engine.finish())
                next_at = self._after(step)
            elif next_at is not None:  # whoever waits came after the time that is made up for
                next_at = None
            else:
                await self._submitted.wait()

    def _after(self, step: Step) -> float | None:
        """Return when the next step is to begin."""
        late_s = max(0.0, self.now() - step.ends_at)
        lost = late_s > LARGEST_LAG_S * self._time_scale
        self.lateness.note(late_s, step.ends_at - step.starts_at, lost=lost)
        return None if lost else step.ends_at

    def _deliver(self, tokens: list[Token]) -> None:
        self._meter.produced(tokens)
        for token in tokens:
            self._tickets[token.job].put(token)
            if token.reason is not None:
                del self._tickets[token.job]

    def _abort(self, job: Job) -> None:
        if self._engine.abort(job):
            self._meter.aborted()
            del self._tickets[job]
