"""Endpoints, a scheduler that prices requests, and a gate before it."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from epp.config.build import build
from epp.config.load import load
from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.routing.admission.admission import Admission
from epp.routing.admission.answer import Answer
from epp.routing.admission.closed import Closed
from epp.routing.admission.settings import AdmissionSettings
from epp.scheduling.decision import Outcome
from epp.scheduling.gate.settings import GateSettings
from epp.scheduling.gate.targets import Targets
from epp.scheduling.query import Query
from epp.scheduling.scheduler import Reservation

CONFIG = """
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins:
- type: marginal-cost-scorer
flowControl: {}
"""

TARGETS = Targets(2.0, 0.05)
CHARS_PER_TOKEN = 4


class Fleet:
    """A clock, servers that only the test makes answer, and what became of each request."""

    def __init__(
        self,
        servers: int = 2,
        *,
        gate: GateSettings = GateSettings(TARGETS),  # noqa: B008  a frozen value
        settings: AdmissionSettings = AdmissionSettings(),  # noqa: B008  the same
    ) -> None:
        self.now = 100.0
        self.endpoints: Sequence[Endpoint] = tuple(
            Endpoint(f"10.0.0.{i}:8000", load=Load(100.0, 0, 0, 0.0, block_size=16, blocks=26_000))
            for i in range(1, servers + 1)
        )
        built = build(load(CONFIG, "test"), seed=7)
        assert built.gate is not None
        self.scheduler, self.gate = built.scheduler, built.gate
        self.gate.settings = gate
        self.admission = Admission(self.scheduler, self.gate, random.Random(1), settings)
        self.answers: list[tuple[str, Answer]] = []
        self._admitted: list[Reservation] = []
        self._ended: set[Reservation] = set()

    def query(self, name: str, tokens: int, **more: object) -> Query:
        prompt = (f"{name} " * (CHARS_PER_TOKEN * tokens))[: CHARS_PER_TOKEN * tokens]
        return Query("m", prompt, now=self.now, stream=True, **more)  # type: ignore[arg-type]

    def ask(
        self,
        name: str,
        tokens: int = 1000,
        flow: str = "",
        deadline: float = math.inf,
        **more: object,
    ) -> object:
        query = self.query(name, tokens, **more)
        result = self.admission.admit(query, self.endpoints, flow)
        if isinstance(result, Closed):
            return self.admission.wait(
                result,
                lambda: self.endpoints,
                lambda answer: self.answers.append((name, answer)),
                len(query.prompt),
                deadline,
            )
        if isinstance(result, Reservation):
            self._admitted.append(result)
        return result

    def running(self) -> list[Reservation]:
        """Return what was let through, at once or later, and has not ended."""
        later = [answer.result for _, answer in self.answers]
        through = [*self._admitted, *(one for one in later if isinstance(one, Reservation))]
        return [one for one in through if one not in self._ended]

    def pass_time(self, seconds: float) -> None:
        """Let time go by; the timer rings when it is due."""
        until = self.now + seconds
        while (at := self.admission.next_at(self.now)) <= until:
            self.now = at
            self.admission.advance(self.now)
        self.now = until

    def end(self, reservation: object, outcome: Outcome = Outcome(200, True)) -> None:  # noqa: B008
        assert isinstance(reservation, Reservation)
        self._ended.add(reservation)
        reservation.release(outcome, self.now)
        self.admission.advance(self.now)

    def first_token(self, reservation: object) -> None:
        assert isinstance(reservation, Reservation)
        reservation.first_token(self.now)
        self.admission.advance(self.now)

    def names(self) -> list[str]:
        return [name for name, _ in self.answers]
