"""A request that waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from epp.pool.endpoint import Endpoint
from epp.routing.admission.answer import Answer
from epp.scheduling.gate.targets import Targets
from epp.scheduling.query import Query


class Asked(msgspec.Struct, eq=False):
    """A request, for as long as it waits."""

    query: Query
    endpoints: Callable[[], Sequence[Endpoint]]  # those that may get it, as they are now
    settled: Callable[[Answer], None]  # called once, unless it leaves before
    flow: str
    deadline: float  # the client's own
    targets: Targets
    tokens: float
    best: Endpoint | None  # that was chosen when it was last considered
    considered_at: float
    part: float  # of an endpoint's full work, up to which it may go there
    why: str
