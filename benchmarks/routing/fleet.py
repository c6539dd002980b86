"""A fleet of pods, the policy that chooses among them, and time."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from benchmarks.routing.job import Job
from benchmarks.routing.pod import Pod, PodModel
from benchmarks.routing.policies.policy import End, Holding, Policy
from benchmarks.routing.trace import Request

NOTICE_S = 1.0  # until a pod that died is out of the pool
RETRY_S = 0.1  # until a client asks again whose request failed


class FleetModel(msgspec.Struct, frozen=True):
    """The pods, and what happens to them."""

    pods: tuple[PodModel, ...] = (PodModel(),) * 8
    scrape_s: float = 0.05
    joins_at: Mapping[int, float] = {}  # pods that are not there from the beginning
    dies_at: Mapping[int, float] = {}
    observed: bool = True  # the picker sees the answers, not only when they end


class Fleet:
    """Runs a list of arrivals to its end.

    The metrics of a pod are read at every multiple of the scrape interval. As nobody looks at a
    reading but a pick, and whoever holds requests, only the last one before each is made.
    """

    def __init__(self, model: FleetModel, policy: Policy) -> None:
        self._model = model
        self._policy = policy
        self._pods = [Pod(pod) for pod in model.pods]
        self._alive: set[int] = set()
        self._scraped = -1
        self._jobs: dict[int, Job] = {}
        self._picked_at: dict[int, float] = {}
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._count = 0
        self._holding = policy if isinstance(policy, Holding) else None
        self._looks_at = math.inf
        self.placed: dict[int, int] = {}  # request number to pod
        self.retries = 0

    @property
    def pods(self) -> Sequence[Pod]:
        """All pods that there ever were."""
        return self._pods

    def run(self, arrivals: Sequence[Request]) -> list[Job]:
        """Return what became of each request, in the order in which they came."""
        self._schedule_changes()
        for request in arrivals:
            self._scrape_before(request.at)
            self._run_until(request.at)
            self._arrive(request, request.at)
        self._run_until(math.inf)
        return [self._jobs[request.number] for request in arrivals]

    def _schedule_changes(self) -> None:
        for number in range(len(self._pods)):
            self._at(self._model.joins_at.get(number, -1.0), partial(self._join, number))
        for number, at in self._model.dies_at.items():
            self._at(at, partial(self._die, number))

    # --- time

    def _at(self, time: float, do: Callable[[float], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (time, self._count, do))

    def _run_until(self, time: float) -> None:
        """Let everything happen that is due before `time`."""
        events, pods = self._events, self._pods
        while True:
            number = min(range(len(pods)), key=lambda n: pods[n].until)
            until = pods[number].until
            due = events[0][0] if events else math.inf
            if min(until, due) > time or (math.isinf(until) and math.isinf(due)):
                return
            if due <= until:
                heapq.heappop(events)[2](due)
            else:
                self._step_ends(number, until)

    def _scrape_before(self, time: float) -> None:
        if math.floor(time / self._model.scrape_s) != self._scraped:
            self._run_until(math.floor(time / self._model.scrape_s) * self._model.scrape_s)
        self._scrape(time)

    def _scrape(self, time: float) -> None:
        """Have the policy know what the last reading before `time` says."""
        tick = math.floor(time / self._model.scrape_s)
        if tick == self._scraped:
            return
        self._scraped = tick
        at = tick * self._model.scrape_s
        for number in sorted(self._alive):
            self._policy.report(number, self._pods[number].read(at))

    # --- requests

    def _arrive(self, request: Request, now: float) -> None:
        self._jobs[request.number] = Job(request)
        number = self._policy.pick(request, now)
        if number is not None:
            self._place(request, number, now)
        self._let_through(now)

    def _let_through(self, now: float) -> None:
        """Place those who have waited in the policy, and look again when it says so."""
        if self._holding is None:
            return
        for placed in self._holding.take_placed():
            if placed.pod is None:
                self._jobs[placed.request.number].refuse()
            else:
                self._place(placed.request, placed.pod, now)
        at = self._holding.next_at(now)
        if at < self._looks_at or self._looks_at <= now:
            self._looks_at = at
            if at < math.inf:
                self._at(at, self._look)

    def _look(self, now: float) -> None:
        assert self._holding is not None
        self._scrape(now)
        self._holding.advance(now)
        self._let_through(now)

    def _place(self, request: Request, number: int, now: float) -> None:
        job = self._jobs[request.number]
        self._picked_at[request.number] = now
        self.placed[request.number] = number
        if number in self._alive:
            self._pods[number].submit(job, now)
        else:
            self._fail(job, now)

    def _fail(self, job: Job, now: float) -> None:
        self.retries += 1
        self._policy.end(job.request, End(ok=False), now)
        self._at(now + RETRY_S, lambda later: self._arrive(job.request, later))

    def _step_ends(self, number: int, now: float) -> None:
        ended = self._pods[number].finish()
        for job in ended.first if self._model.observed else ():
            self._policy.first_token(job.request, now)
        for job in ended.finished:
            self._policy.end(job.request, self._end(job), now)
        if ended.first or ended.finished:
            self._let_through(now)

    def _end(self, job: Job) -> End:
        request = job.request
        gaps = request.output_tokens - 1
        if not self._model.observed:
            return End(seen=False)
        return End(
            cached_tokens=job.cached,
            ttft_s=job.first_at - self._picked_at.pop(request.number),
            itl_s=(job.finished_at - job.first_at) / gaps if gaps else None,
        )

    # --- changes of the pool

    def _join(self, number: int, _: float) -> None:
        self._alive.add(number)
        self._policy.join(number)

    def _die(self, number: int, now: float) -> None:
        """Fail all that is there at once; the pool notices later."""
        self._alive.discard(number)
        lost = self._pods[number].jobs
        self._pods[number] = Pod(self._model.pods[number])
        for job in lost:
            self._fail(job, now)
        self._at(now + NOTICE_S, lambda _: self._policy.leave(number))
