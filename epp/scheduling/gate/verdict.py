"""Whether an endpoint can take a request now."""

from __future__ import annotations

import enum
from math import inf
from typing import NamedTuple


class Why(enum.Enum):
    """What keeps a request from an endpoint."""

    NOTHING = "open"
    QUEUE = "queue"  # too much prefill is before it
    STEP = "step"  # its tokens, or those of the others there, would come too slowly
    MEMORY = "memory"  # the KV cache has no room for its prompt


class Verdict(NamedTuple):
    """`opens_at` is when time alone would open it, if nothing else happens; infinity: never."""

    why: Why
    opens_at: float = inf


OPEN = Verdict(Why.NOTHING)
STEP = Verdict(Why.STEP)
MEMORY = Verdict(Why.MEMORY)
