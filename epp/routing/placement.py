"""What came of one request."""

from __future__ import annotations

from collections.abc import Callable

from epp.exchange.events import Answered, Refused, Routed
from epp.routing.admission.shed import Shed
from epp.routing.labels import Labels
from epp.scheduling.decision import Decision, Outcome
from epp.scheduling.gate.targets import Targets
from epp.scheduling.scheduler import Reservation


class Placement:
    """An answer for the exchange, and what is held for the request until it ends."""

    __slots__ = (
        "_on_end",
        "_on_first_token",
        "_reservation",
        "answer",
        "labels",
        "shed",
        "targets",
        "waited_for",
        "waited_s",
    )

    def __init__(
        self,
        labels: Labels,
        answer: Routed | Refused | Answered,
        reservation: Reservation | None = None,
        on_end: Callable[[float], None] | None = None,
        on_first_token: Callable[[float], None] | None = None,
    ) -> None:
        self.labels = labels
        self.answer = answer
        self.targets: Targets | None = None  # None: nobody asked for any
        self.shed: Shed | None = None  # why it was refused though there are endpoints
        self.waited_s = 0.0  # in the picker, for an endpoint that could take it
        self.waited_for = ""  # why none could, when it was looked at last
        self._reservation = reservation
        self._on_end = on_end
        self._on_first_token = on_first_token

    def __repr__(self) -> str:
        return f"<Placement {self.labels.model or '-'} {type(self.answer).__name__}>"

    @property
    def decision(self) -> Decision | None:
        """Why the request went where it went; None if it was refused or placed before."""
        return self._reservation.decision if self._reservation else None

    def settle(self) -> None:
        """Let go of what was needed to choose; to be called once the decision has been told."""
        if self._reservation is not None:
            self._reservation.settle()

    def first_token(self, now: float) -> None:
        """Note that the answer began; a second call does nothing."""
        on_first_token, self._on_first_token = self._on_first_token, None
        if self._reservation is not None:
            self._reservation.first_token(now)
        if on_first_token is not None:
            on_first_token(now)

    def end(self, outcome: Outcome, now: float) -> None:
        """Give back what the request held; a second call does nothing."""
        on_end, self._on_end = self._on_end, None
        try:
            if self._reservation is not None:
                self._reservation.release(outcome, now)
        finally:
            if on_end is not None:
                on_end(now)
