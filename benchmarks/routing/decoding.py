"""The requests of a pod that decode: all of them one token in each step."""

from __future__ import annotations

import heapq

from benchmarks.routing.job import Job
from benchmarks.routing.memory import BLOCK_TOKENS


class Decoding:
    """Counts for all together what would be slow to count for each: contexts, blocks, ends."""

    __slots__ = ("_allocated", "_ends", "_phases", "context", "jobs", "step")

    def __init__(self) -> None:
        self.jobs: dict[Job, None] = {}  # in the order of their admission
        self.step = 0  # steps done
        self.context = 0  # tokens in the KV memory of all
        self._allocated = 0  # steps for which there are blocks
        self._phases = [0] * BLOCK_TOKENS  # who needs a block in which of 16 steps
        self._ends: list[tuple[int, int, Job]] = []

    def __len__(self) -> int:
        return len(self.jobs)

    def __repr__(self) -> str:
        return f"<Decoding {len(self.jobs)} requests, step {self.step}>"

    @property
    def last(self) -> Job:
        """The request that was admitted last."""
        return next(reversed(self.jobs))

    @property
    def blocks_now(self) -> int:
        """The blocks that the next step needs."""
        return self._phases[self.step % BLOCK_TOKENS]

    @property
    def steps_to_end(self) -> int:
        """The steps until the first request has its last token."""
        return self._ends[0][0] - self.step

    def advance(self, steps: int) -> None:
        """Count steps as done."""
        self.step += steps
        self.context += steps * len(self.jobs)

    def blocks_until(self, step: int) -> int:
        """Return the blocks to take so that there are enough for all steps before `step`."""
        rounds, rest = divmod(max(0, step - self._allocated), BLOCK_TOKENS)
        needed = rounds * len(self.jobs)
        for offset in range(rest):
            needed += self._phases[(self._allocated + offset) % BLOCK_TOKENS]
        self._allocated = max(self._allocated, step)
        return needed

    def add(self, job: Job) -> None:
        """Take a request in whose prompt is computed."""
        job.started_at_step = self.step
        job.phase = (self.step - job.target) % BLOCK_TOKENS
        self.jobs[job] = None
        self._phases[job.phase] += 1
        self.context += job.target
        end = self.step + job.request.output_tokens - job.generated
        heapq.heappush(self._ends, (end, job.request.number, job))

    def remove(self, job: Job) -> None:
        """Let a request go before its end."""
        self._ends = [end for end in self._ends if end[2] is not job]
        heapq.heapify(self._ends)
        self._leave(job)

    def ended(self) -> list[Job]:
        """Let those go that have their last token."""
        found = []
        while self._ends and self._ends[0][0] <= self.step:
            job = heapq.heappop(self._ends)[2]
            self._leave(job)
            found.append(job)
        return found

    def _leave(self, job: Job) -> None:
        steps = self.step - job.started_at_step
        tokens = job.target + steps
        job.generated += steps
        job.blocks += job.missing_blocks(tokens)  # taken step by step
        del self.jobs[job]
        self._phases[job.phase] -= 1
        self.context -= tokens
