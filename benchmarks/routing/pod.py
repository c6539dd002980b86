"""A model server with continuous batching, as vLLM's scheduler does it."""

from __future__ import annotations

import math
from collections import deque

import msgspec

from benchmarks.routing.decoding import Decoding
from benchmarks.routing.job import Job
from benchmarks.routing.memory import BLOCK_TOKENS, SPAN_TOKENS, Memory
from benchmarks.routing.step_time import StepTime, Stretch


class PodModel(msgspec.Struct, frozen=True):
    """What a pod can do."""

    step_time: StepTime = StepTime()
    slowness: float = 1.0  # every step takes so many times as long
    kv_tokens: int = 421_000
    max_batched_tokens: int = 8192
    max_requests: int = 256


class Reading(msgspec.Struct, frozen=True):
    """What the pod's metrics page says."""

    at: float
    waiting: int
    running: int
    usage: float  # of the KV memory, 0 to 1


class Ended(msgspec.Struct, frozen=True):
    """What came out of a step."""

    first: list[Job] = []  # have their first token
    finished: list[Job] = []


class Pod:
    """Works in steps; those in which nothing but decoding happens are done many at a time.

    Each request in the batch decodes one token in a step. `until` is when the steps that are under
    way end; then, `finish` must be called, in the order of time. Between, `submit` and `read` count
    the steps that are done by then.
    """

    def __init__(self, model: PodModel) -> None:
        self.model = model
        self.memory = Memory(model.kv_tokens)
        self.until = math.inf
        self.waiting: deque[Job] = deque()
        self.decoding = Decoding()
        self.partial: Job | None = None  # a prompt that needs more steps; admitted last
        self.computed_tokens = 0
        self._chunks: list[tuple[Job, int]] = []  # prompts in the step under way, and tokens
        self._stretch = Stretch(0, 0.0)
        self._began = 0.0

    def __repr__(self) -> str:
        return f"<Pod {len(self.waiting)} waiting, {self.running} running, {self.memory!r}>"

    @property
    def running(self) -> int:
        """Requests in the batch."""
        return len(self.decoding) + len(self._unfinished_prompts())

    @property
    def jobs(self) -> list[Job]:
        """All requests that are here."""
        return [*self.decoding.jobs, *self._unfinished_prompts(), *self.waiting]

    def submit(self, job: Job, now: float) -> None:
        """Let a request wait for its turn, which may come with the next step."""
        needed = job.request.input_tokens + job.request.output_tokens
        if needed > self.model.kv_tokens:
            raise ValueError(f"request {job.request.number} needs {needed} tokens of KV memory")
        self.waiting.append(job)
        if math.isinf(self.until):
            self._begin(now)
            return
        self._advance(now)
        if self._stretch.steps > 1:
            self._stretch = Stretch(1, self._stretch.first_s)
            self.until = self._began + self._stretch.first_s

    def read(self, now: float) -> Reading:
        """Return the metrics at this moment."""
        if not math.isinf(self.until):
            self._advance(now)
        return Reading(now, len(self.waiting), self.running, self.memory.usage)

    def finish(self) -> Ended:
        """End the steps under way and begin the next ones."""
        now = self.until
        self.decoding.advance(self._stretch.steps)
        self._allocate(self.decoding.step)
        ended = Ended([], [])
        for job in self.decoding.ended():
            self._free(job)
            ended.finished.append(job)
        self._end_prompts(ended, now)
        for job in ended.finished:
            job.finished_at = now
        self._begin(now)
        return ended

    # --- steps

    def _advance(self, now: float) -> None:
        done = self._stretch.done_after(max(0.0, now - self._began))
        if done:
            self._began += self._stretch.length(done)
            self._stretch = self._stretch.after(done)
            self.decoding.advance(done)
            self._allocate(self.decoding.step + 1)

    def _begin(self, now: float) -> None:
        """Choose what the next step computes."""
        preempted = self._make_room()
        self._allocate(self.decoding.step + 1)
        self._chunks = []
        budget = self.model.max_batched_tokens - len(self.decoding)
        if self.partial is not None:
            budget, preempted = self._continue_prompt(budget, preempted)
        if not preempted:
            self._admit(budget)
        batch = len(self.decoding) + len(self._chunks)
        if not batch:
            self.until = math.inf
            return
        self._stretch = self._time(batch, 1 if preempted or self._chunks else self._alike())
        self._began = now
        self.until = now + self._stretch.length(self._stretch.steps)

    def _time(self, batch: int, steps: int) -> Stretch:
        model, decoding = self.model, len(self.decoding)
        tokens, pairs = decoding, 0.0
        for job, count in self._chunks:
            tokens += count
            pairs += count * (job.computed + count / 2)
        self.computed_tokens += tokens - decoding
        first = model.step_time.step(tokens, pairs, self.decoding.context, batch)
        growth = model.step_time.context_s * decoding
        return Stretch(steps, first * model.slowness, growth * model.slowness)

    def _alike(self) -> int:
        """Return how many steps go by until one ends or memory may run out."""
        rounds = self.memory.available // len(self.decoding)
        return max(1, min(self.decoding.steps_to_end, (rounds - 1) * BLOCK_TOKENS))

    # --- memory

    def _allocate(self, step: int) -> None:
        """Take the blocks that decoding needs for all steps before `step`; they are there."""
        taken = self.memory.take(self.decoding.blocks_until(step))
        assert taken

    def _make_room(self) -> bool:
        """Preempt, last admitted first, until all that decode have room for one token more."""
        preempted = False
        while self.decoding.blocks_now > self.memory.available:
            self._preempt(self.partial or self.decoding.last)
            preempted = True
        return preempted

    def _preempt(self, job: Job) -> None:
        if job is self.partial:
            self.partial = None
        else:
            self.decoding.remove(job)
        self._free(job)
        job.begin_again()
        self.waiting.appendleft(job)

    def _free(self, job: Job) -> None:
        self.memory.drop(job.request.ids[: job.spans])
        self.memory.give(job.blocks)

    # --- prompts

    def _unfinished_prompts(self) -> list[Job]:
        chunks = [job for job, _ in self._chunks]
        if self.partial is not None and self.partial not in chunks:
            chunks.append(self.partial)
        return chunks

    def _continue_prompt(self, budget: int, preempted: bool) -> tuple[int, bool]:
        job = self.partial
        assert job is not None
        count = min(job.target - job.computed, budget)
        if not self._compute(job, count):
            self._preempt(job)
            return budget, True
        return budget - count, preempted

    def _admit(self, budget: int) -> None:
        """Take waiting requests into the batch, in order, as far as budget and memory go."""
        room = self.model.max_requests - len(self.decoding) - len(self._chunks)
        while self.waiting and budget > 0 and room > 0:
            job = self.waiting[0]
            self._reuse(job)
            count = min(job.target - job.computed, budget)
            if not self._compute(job, count):
                self.memory.drop(job.request.ids[: job.spans])
                job.spans = job.computed = 0
                return
            self.waiting.popleft()
            budget -= count
            room -= 1
            self.partial = job

    def _reuse(self, job: Job) -> None:
        ids = job.request.ids[: job.reusable]
        job.spans = self.memory.matched(ids)
        job.computed = job.spans * SPAN_TOKENS
        self.memory.hold(ids[: job.spans])
        if not job.preempted:
            job.cached = job.computed

    def _compute(self, job: Job, count: int) -> bool:
        needed = job.missing_blocks(job.computed + count)
        if not self.memory.take(needed):
            return False
        job.blocks += needed
        self._chunks.append((job, count))
        return True

    # --- ends

    def _end_prompts(self, ended: Ended, now: float) -> None:
        chunks, self._chunks = self._chunks, []
        for job, count in chunks:
            job.computed += count
            self._publish(job)
            if job.computed == job.target:
                self._answer(job, ended, now)

    def _publish(self, job: Job) -> None:
        """Only now, when their step is over, can others reuse the spans."""
        prompt = min(job.computed, job.request.input_tokens) // SPAN_TOKENS
        for span in job.request.ids[job.spans : prompt]:
            job.blocks -= SPAN_TOKENS // BLOCK_TOKENS
            self.memory.publish(span)
        job.spans = max(job.spans, prompt)

    def _answer(self, job: Job, ended: Ended, now: float) -> None:
        if job is self.partial:
            self.partial = None
        job.generated += 1
        if job.generated == 1:
            job.first_at = now
            ended.first.append(job)
        if job.generated >= job.request.output_tokens:
            self._free(job)
            ended.finished.append(job)
        else:
            self.decoding.add(job)
