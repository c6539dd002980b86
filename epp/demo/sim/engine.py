"""Continuous batching in virtual time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import msgspec

from epp.demo.sim.blocks import BlockCache
from epp.demo.sim.cost import H100_8B, Chunk, Coefficients, step_time
from epp.demo.sim.job import Job


class Limits(msgspec.Struct, frozen=True):
    """What the engine has room for."""

    num_gpu_blocks: int
    block_size: int = 16
    max_num_seqs: int = 256
    max_num_batched_tokens: int = 8192

    @property
    def kv_tokens(self) -> int:
        """Tokens that fit into KV memory."""
        return self.num_gpu_blocks * self.block_size


class Token(msgspec.Struct, frozen=True):
    """A word that a step produced, and why the answer ends with it, if it does."""

    job: Job
    text: str
    at: float
    since: float  # when the word before it came out, or the request arrived
    reason: str | None = None


class Step(msgspec.Struct):
    """One pass of the model: how much of which request it computes, and until when."""

    starts_at: float
    ends_at: float = 0.0
    budget: int = 0
    work: list[tuple[Job, Chunk]] = []
    admitted: list[Job] = []
    preempted: list[Job] = []

    @property
    def tokens(self) -> int:
        """Tokens computed."""
        return sum(chunk.tokens for _, chunk in self.work)

    def add(self, job: Job, tokens: int) -> None:
        """Compute so many more tokens of this request."""
        self.work.append((job, Chunk(tokens, job.computed)))
        self.budget -= tokens


class Engine:
    """Two queues and the KV memory, advanced by `start` and `finish` of one step after another.

    Each step serves the running requests in order, then admits waiting ones while tokens, seats
    and blocks last. A running request that finds no block takes those of the last one, which
    starts over from the head of the queue.
    """

    def __init__(self, limits: Limits, cost: Coefficients = H100_8B, speed: float = 1.0) -> None:
        self.limits = limits
        self.blocks = BlockCache(limits.num_gpu_blocks)
        self.waiting: deque[Job] = deque()
        self.running: list[Job] = []
        self.stored: Callable[[Job, int], None] = lambda *_: None  # told of each block to share
        self._cost = cost
        self._speed = speed
        self._step: Step | None = None

    def __repr__(self) -> str:
        return f"<Engine {len(self.running)} running, {len(self.waiting)} waiting, {self.blocks!r}>"

    @property
    def kv_usage(self) -> float:
        """Share of the blocks that requests hold."""
        return self.blocks.held / self.blocks.capacity

    def submit(self, job: Job) -> None:
        """Queue a request; it must be able to finish when it is alone."""
        if job.longest > self.limits.kv_tokens:
            raise ValueError(f"{job.longest} tokens can never fit into {self.limits.kv_tokens}")
        job.hash_blocks(self.limits.block_size)
        self.waiting.append(job)

    def abort(self, job: Job) -> bool:
        """Forget a request and free its blocks at once; return whether it had not ended before."""
        if job.done:
            return False
        if job in self.running:
            self._leave(job)
        else:
            self.waiting.remove(job)
            job.done = True
        return True

    def start(self, now: float) -> Step | None:
        """Begin a step, unless there is nothing to do."""
        if self._step is not None:
            raise RuntimeError("the step before has not finished")
        step = Step(now, budget=self.limits.max_num_batched_tokens)
        self._continue_running(step)
        if not step.preempted:
            self._admit(step)
        if not step.work:
            return None
        chunks = [chunk for _, chunk in step.work]
        step.ends_at = now + step_time(chunks, self._cost) / self._speed
        self._step = step
        return step

    def finish(self) -> list[Token]:
        """End the step: what it computed can be shared from now on, and tokens come out."""
        step, self._step = self._step, None
        if step is None:
            raise RuntimeError("no step was started")
        produced = []
        for job, chunk in step.work:
            if job.done:  # aborted meanwhile
                continue
            self._keep(job, chunk.tokens)
            if not job.missing:
                produced.append(self._sample(job, step.ends_at))
        return produced

    def _continue_running(self, step: Step) -> None:
        position = 0
        while position < len(self.running) and step.budget:
            job = self.running[position]
            tokens = min(job.missing, step.budget)
            if not self._grow(job, tokens, step):
                return
            step.add(job, tokens)
            position += 1

    def _grow(self, job: Job, tokens: int, step: Step) -> bool:
        """Find blocks for more tokens; the last running request pays, even if it is this one."""
        needed = self._blocks_for(job.computed + tokens) - len(job.blocks)
        while (fresh := self.blocks.allocate(needed)) is None:
            victim = self.running[-1]
            self._preempt(victim)
            step.preempted.append(victim)
            if victim is job:
                return False
        job.blocks += fresh
        return True

    def _preempt(self, job: Job) -> None:
        self.running.remove(job)
        self.blocks.release(job.blocks)
        job.blocks = []
        job.computed = 0
        job.preemptions += 1
        self.waiting.appendleft(job)

    def _admit(self, step: Step) -> None:
        while self.waiting and step.budget and len(self.running) < self.limits.max_num_seqs:
            first = self.waiting[0]
            # A step that is made up for began before requests came that are here by now.
            if first.arrived_at > step.starts_at or not self._seat(first, step):
                return
            self.running.append(self.waiting.popleft())

    def _seat(self, job: Job, step: Step) -> bool:
        # Without at least one token to compute there would be nothing to sample from.
        matchable = (job.tokens - 1) // self.limits.block_size
        shared = self.blocks.match(job.keys[:matchable])
        known = len(shared) * self.limits.block_size
        tokens = min(job.tokens - known, step.budget)
        held = self.blocks.allocate(self._blocks_for(known + tokens) - len(shared), shared)
        if held is None:
            return False
        job.blocks, job.computed = held, known
        if not job.admitted:
            job.admitted, job.cached = True, known
            step.admitted.append(job)
        step.add(job, tokens)
        return True

    def _keep(self, job: Job, tokens: int) -> None:
        size = self.limits.block_size
        before, job.computed = job.computed, job.computed + tokens
        for index in range(before // size, job.computed // size):
            if self.blocks.publish(job.blocks[index], job.keys[index]):
                self.stored(job, index)

    def _sample(self, job: Job, at: float) -> Token:
        text, since = job.sample(), job.last_token_at or job.arrived_at
        job.hash_blocks(self.limits.block_size)
        job.first_token_at = job.first_token_at or at
        job.last_token_at = at
        ended = job.generated >= job.max_tokens
        if ended:
            self._leave(job)
        return Token(job, text, at, since, job.reason if ended else None)

    def _leave(self, job: Job) -> None:
        self.running.remove(job)
        self.blocks.release(job.blocks)
        job.blocks = []
        job.done = True

    def _blocks_for(self, tokens: int) -> int:
        return -(-tokens // self.limits.block_size)
