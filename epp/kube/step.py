"""What a reflector does next; pure."""

from __future__ import annotations

import enum
import math
import random

import msgspec

from epp.kube.outcome import Outcome
from epp.kube.pace import ReflectorPace


class Do(enum.Enum):
    """The two requests of a reflector."""

    LIST = "list"
    WATCH = "watch"


class _Wait(enum.Enum):
    NO = "no"
    IF_AGAIN = "if again"  # not for the first failure in a while
    YES = "yes"


class _Rule(msgspec.Struct, frozen=True):
    do: Do | None  # None: the same again
    wait: _Wait


_RULES = {
    Outcome.LISTED: _Rule(Do.WATCH, _Wait.NO),
    Outcome.CLOSED: _Rule(Do.WATCH, _Wait.NO),
    Outcome.OVERDUE: _Rule(Do.WATCH, _Wait.NO),
    Outcome.CLOSED_EARLY: _Rule(Do.WATCH, _Wait.YES),
    Outcome.CLOSED_EMPTY: _Rule(Do.WATCH, _Wait.YES),
    Outcome.STALLED: _Rule(None, _Wait.IF_AGAIN),
    Outcome.ABSENT: _Rule(None, _Wait.YES),
    Outcome.UNREACHABLE: _Rule(None, _Wait.YES),
    Outcome.BUSY: _Rule(None, _Wait.YES),
    Outcome.REFUSED: _Rule(Do.LIST, _Wait.YES),
    Outcome.GONE: _Rule(Do.LIST, _Wait.IF_AGAIN),
    Outcome.UNREADABLE: _Rule(Do.LIST, _Wait.IF_AGAIN),
    Outcome.REPORTED: _Rule(Do.LIST, _Wait.YES),
}


_COUNTED_ABSENT = 2


class State(msgspec.Struct, frozen=True):
    """What the next step depends on, beside the outcome."""

    doing: Do = Do.LIST
    failures: int = 0
    failed_at: float = -math.inf
    empty_closes: int = 0
    relist_at: float = math.inf


class Step(msgspec.Struct, frozen=True):
    """Wait, then list or watch; `watch_s` is how long the server is to keep the watch open."""

    do: Do
    after_s: float = 0.0
    watch_s: float = 0.0
    due: bool = False  # a list for its time has come, not for anything that failed


def next_step(  # noqa: PLR0917 - the arguments of a table
    state: State,
    outcome: Outcome,
    now: float,
    pace: ReflectorPace,
    rng: random.Random,
    retry_after_s: float = 0.0,
) -> tuple[State, Step]:
    """Return what to do after `outcome`, and the state to decide by the next time."""
    rule = _RULES[outcome]
    failures = state.failures if now - state.failed_at < pace.forget_failures_s else 0
    empty_closes = _empty_closes(state, outcome)
    stale = empty_closes >= pace.empty_closes
    longest_s = pace.max_absent_backoff_s if outcome is Outcome.ABSENT else pace.max_backoff_s
    wait = _Wait.NO if stale else rule.wait
    after_s = _after_s(wait, failures, longest_s, pace, rng, retry_after_s)
    relist_at = _relist_at(state, outcome, now, pace, rng)
    due = now + after_s >= relist_at
    do = Do.LIST if stale or due else rule.do or state.doing
    failed = rule.wait is not _Wait.NO and not stale
    return (
        State(
            doing=do,
            failures=_failures(failures, outcome) if failed else failures,
            failed_at=now if failed else state.failed_at,
            empty_closes=0 if stale else empty_closes,
            relist_at=relist_at,
        ),
        Step(do, after_s, _watch_s(relist_at - now - after_s, pace, rng), due=due and not stale),
    )


def _failures(before: int, outcome: Outcome) -> int:
    """Count one more; a server that comes back, and is busy then, is not to be left for long."""
    if outcome is Outcome.ABSENT:
        return max(before, min(before + 1, _COUNTED_ABSENT))
    return before + 1


def _after_s(  # noqa: PLR0917 - the same
    wait: _Wait,
    failures: int,
    longest_s: float,
    pace: ReflectorPace,
    rng: random.Random,
    retry_after_s: float,
) -> float:
    if wait is _Wait.NO or (wait is _Wait.IF_AGAIN and not failures):
        return 0.0
    backoff_s = min(longest_s, pace.backoff_s * 2.0 ** min(failures, 30))
    asked_s = min(retry_after_s, pace.max_retry_after_s)
    return max(backoff_s, asked_s) * (1.0 + pace.jitter * rng.random())


def _empty_closes(state: State, outcome: Outcome) -> int:
    match outcome:
        case Outcome.CLOSED_EMPTY:
            return state.empty_closes + 1
        case Outcome.LISTED | Outcome.ABSENT | Outcome.UNREACHABLE | Outcome.BUSY:
            return state.empty_closes
        case _:
            return 0


def _relist_at(
    state: State, outcome: Outcome, now: float, pace: ReflectorPace, rng: random.Random
) -> float:
    if outcome is Outcome.LISTED:
        return now + pace.relist_s * rng.uniform(0.9, 1.1)
    return state.relist_at


def _watch_s(left_s: float, pace: ReflectorPace, rng: random.Random) -> float:
    """Return how long to watch: not past the next list, and in whole seconds, as the API has it."""
    return max(1.0, math.ceil(min(rng.uniform(*pace.watch_s), left_s)))
