"""What became of a request that waited."""

from __future__ import annotations

import msgspec

from epp.routing.admission.shed import Shed
from epp.scheduling.decision import Refusal
from epp.scheduling.scheduler import Reservation


class Answer(msgspec.Struct, frozen=True):
    """Where it goes, or why nowhere."""

    result: Reservation | Refusal | Shed
    waited_s: float
    why: str = ""  # what it waited for at last
