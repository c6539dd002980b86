"""What keeps a request from where it would go best."""

from __future__ import annotations

import msgspec

from epp.scheduling.gate.targets import Targets
from epp.scheduling.gate.verdict import Verdict
from epp.scheduling.query import Query
from epp.scheduling.scheduler import Choice


class Closed(msgspec.Struct, frozen=True, eq=False):
    """The choice, and what the gate says of it."""

    query: Query
    choice: Choice
    flow: str
    targets: Targets
    tokens: float
    part: float
    verdict: Verdict
