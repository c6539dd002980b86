"""The picker with flow control: requests wait in it until a pod can take them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial

from benchmarks.routing.policies.policy import End, Placed
from benchmarks.routing.policies.production import Production
from benchmarks.routing.prompts import Prompts
from benchmarks.routing.trace import Request
from epp.config.model import EndpointPickerConfig
from epp.pool.endpoint import Endpoint
from epp.routing.admission.admission import Admission
from epp.routing.admission.answer import Answer
from epp.routing.admission.closed import Closed
from epp.routing.admission.waiter import Waiter
from epp.scheduling.scheduler import Reservation


class Gated(Production):
    """Production objects again; those that wait come out of `take_placed`."""

    def __init__(
        self,
        config: EndpointPickerConfig,
        rng: random.Random,
        prompts: Prompts,
        kv_tokens: int,
        max_load_age_s: float = 2.0,
    ) -> None:
        super().__init__(config, rng, prompts, kv_tokens, max_load_age_s)
        assert config.flow_control is not None
        assert self.built.gate is not None
        self.admission = Admission(
            self.built.scheduler, self.built.gate, rng, config.flow_control.admission()
        )
        self._placed: list[Placed] = []

    def pick(self, request: Request, now: float) -> int | None:
        """Let it through, or keep it."""
        result = self.admission.admit(self.query(request, now), self._endpoints(), request.flow)
        if isinstance(result, Closed):
            settled = partial(self._settled, request)
            if isinstance(self.admission.wait(result, self._endpoints, settled), Waiter):
                return None
        if not isinstance(result, Reservation):
            self._placed.append(Placed(request, None))
            return None
        return self.hold(request, result)

    def first_token(self, request: Request, now: float) -> None:
        """Tell the producers, and those who wait."""
        super().first_token(request, now)
        self.admission.advance(now)

    def end(self, request: Request, end: End, now: float) -> None:
        """Release what was reserved, for those who wait."""
        super().end(request, end, now)
        self.admission.advance(now)

    def next_at(self, now: float) -> float:
        """Return when `advance` is due."""
        return self.admission.next_at(now)

    def advance(self, now: float) -> None:
        """Let time pass."""
        self.admission.advance(now)

    def take_placed(self) -> list[Placed]:
        """Return, once, those that wait no longer."""
        placed, self._placed = self._placed, []
        return placed

    def _endpoints(self) -> Sequence[Endpoint]:
        return self.store.snapshot().endpoints

    def _settled(self, request: Request, answer: Answer) -> None:
        result = answer.result
        pod = self.hold(request, result) if isinstance(result, Reservation) else None
        self._placed.append(Placed(request, pod))
