"""The picker itself: its configuration, pool and scheduler, as they serve requests."""

from __future__ import annotations

import random

from benchmarks.routing.memory import BLOCK_TOKENS
from benchmarks.routing.pod import Reading
from benchmarks.routing.policies.policy import End
from benchmarks.routing.prompts import Prompts
from benchmarks.routing.trace import Request
from epp.config.build import build
from epp.config.model import EndpointPickerConfig
from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.pool.store import Store
from epp.scheduling.decision import Outcome
from epp.scheduling.query import Query
from epp.scheduling.scheduler import Reservation

_MODEL = "meta-llama/Llama-3.1-8B-Instruct"


class Production:
    """Asks the scheduler that `config` describes; time is the simulation's."""

    def __init__(
        self,
        config: EndpointPickerConfig,
        rng: random.Random,
        prompts: Prompts,
        kv_tokens: int,
        max_load_age_s: float = 2.0,
    ) -> None:
        self.built = build(config, seed=rng.getrandbits(64))
        self.store = Store()
        self._rng = rng
        self._prompts = prompts
        self._blocks = kv_tokens // BLOCK_TOKENS
        self._max_load_age_s = max_load_age_s
        self._addresses: dict[int, str] = {}
        self._pods: dict[str, int] = {}
        self._reservations: dict[int, Reservation] = {}

    def join(self, pod: int) -> None:
        """Tell the store."""
        self._addresses[pod] = f"10.0.{pod // 256}.{pod % 256}:8000"
        self._replace()

    def leave(self, pod: int) -> None:
        """Tell the store, and the scheduler."""
        del self._addresses[pod]
        self._replace()

    def report(self, pod: int, reading: Reading) -> None:
        """Write a reading into the store, as the poller does."""
        endpoint = self.store.get(self._addresses.get(pod, ""))
        if endpoint is None:
            return
        self.store.report(
            endpoint,
            Load(
                reading.at,
                waiting=reading.waiting,
                running=reading.running,
                kv_cache_usage=reading.usage,
                block_size=BLOCK_TOKENS,
                blocks=self._blocks,
            ),
        )

    def query(self, request: Request, now: float) -> Query:
        """Return what the scheduler is asked."""
        return Query(
            _MODEL,
            self._prompts.text(request),
            now=now,
            max_load_age_s=self._max_load_age_s,
            priority=request.priority,
            stream=True,
        )

    def hold(self, request: Request, reservation: Reservation) -> int:
        """Keep a reservation until its request ends; returns its pod."""
        pod = self._pods[reservation.decision.winner.address]
        reservation.settle()
        self._reservations[request.number] = reservation
        return pod

    def pick(self, request: Request, now: float) -> int | None:
        """Schedule."""
        endpoints = self.store.snapshot().endpoints
        reservation = self.built.scheduler.schedule(self.query(request, now), endpoints, self._rng)
        assert isinstance(reservation, Reservation)
        return self.hold(request, reservation)

    def first_token(self, request: Request, now: float) -> None:
        """Tell the producers."""
        self._reservations[request.number].first_token(now)

    def end(self, request: Request, end: End, now: float) -> None:
        """Release what was reserved."""
        reservation = self._reservations.pop(request.number)
        if not end.ok or not end.seen:
            reservation.release(Outcome(200 if end.ok else 503), now)
            return
        reservation.release(
            Outcome(
                200,
                completed=True,
                prompt_tokens=request.input_tokens,
                completion_tokens=request.output_tokens,
                cached_tokens=end.cached_tokens,
                ttft_s=end.ttft_s,
                itl_s=end.itl_s,
            ),
            now,
        )

    def _replace(self) -> None:
        self._pods = {address: pod for pod, address in self._addresses.items()}
        change = self.store.replace(Endpoint(address) for address in self._pods)
        self.built.scheduler.forget(change.left)
