"""Playing the engine's virtual time in real time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

from epp.demo.sim.engine import Engine, Token
from epp.demo.sim.job import Job
from epp.demo.sim.meter import Meter

# A step that begins late is made up for by the next ones, or timers that round up would make the
# hardware slower; what is later than this was not rounding but a machine too busy to keep up.
LARGEST_LAG_S = 0.05


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


class Driver:
    """Steps an engine while it has work, `time_scale` simulated seconds in a real one."""

    def __init__(self, engine: Engine, meter: Meter, time_scale: float = 1.0) -> None:
        self._engine = engine
        self._meter = meter
        self._time_scale = time_scale
        self._tickets: dict[Job, Ticket] = {}
        self._submitted = asyncio.Event()

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
        behind_s = 0.0
        while True:
            self._submitted.clear()
            step = self._engine.start(self.now() - behind_s)
            if step is None:
                await self._submitted.wait()
                behind_s = 0.0
                continue
            self._meter.started(step)
            await self.sleep(max(0.0, step.ends_at - self.now()))
            self._deliver(self._engine.finish())
            late_s = self.now() - step.ends_at
            behind_s = late_s if late_s < LARGEST_LAG_S * self._time_scale else 0.0

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
