"""How a list or a watch ended; pure."""

from __future__ import annotations

import enum

from epp.kube.errors import (
    AbsentError,
    KubeError,
    ReportedError,
    StalledError,
    UnreachableError,
    UnreadableError,
)
from epp.kube.pace import ReflectorPace


class Outcome(enum.Enum):
    """How a list or a watch ended; the values count restarts."""

    LISTED = "listed"
    CLOSED = "closed"  # as asked for, after its timeoutSeconds, or a server going away in order
    CLOSED_EARLY = "closed-early"  # after events, but sooner than any server has reason to
    CLOSED_EMPTY = "closed-empty"  # the same without an event: what some do instead of 410
    OVERDUE = "overdue"  # it should have ended: ignored by the server, or the connection is dead
    STALLED = "stalled"
    ABSENT = "absent"
    UNREACHABLE = "unreachable"
    BUSY = "busy"  # 429 and 5xx: the same question may be answered later
    REFUSED = "refused"
    GONE = "gone"
    UNREADABLE = "unreadable"
    REPORTED = "reported"  # an ERROR event other than 410


def closed(lived_s: float, asked_s: float, events: int, pace: ReflectorPace) -> Outcome:
    """Return what a watch that ended in order tells by when it ended."""
    if lived_s >= min(pace.quick_s, asked_s / 2):
        return Outcome.CLOSED
    return Outcome.CLOSED_EARLY if events else Outcome.CLOSED_EMPTY


def outcome_of(error: KubeError) -> Outcome:
    """Return what an error tells."""
    if error.gone:
        return Outcome.GONE
    for kind, outcome in _BY_KIND:
        if isinstance(error, kind):
            return outcome
    busy = error.status == 429 or error.status >= 500
    return Outcome.BUSY if busy else Outcome.REFUSED


_BY_KIND = (
    (ReportedError, Outcome.REPORTED),
    (UnreadableError, Outcome.UNREADABLE),
    (StalledError, Outcome.STALLED),
    (AbsentError, Outcome.ABSENT),
    (UnreachableError, Outcome.UNREACHABLE),
)
