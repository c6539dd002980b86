"""What chooses a pod."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import msgspec

from benchmarks.routing.pod import Reading
from benchmarks.routing.trace import Request


class End(msgspec.Struct, frozen=True):
    """How a request ended, as its answer tells."""

    ok: bool = True
    seen: bool = True  # else nothing but the end is known
    cached_tokens: int = 0
    ttft_s: float | None = None  # from the pick
    itl_s: float | None = None


class Placed(msgspec.Struct, frozen=True):
    """A request that waits no longer; no pod: it was refused."""

    request: Request
    pod: int | None


class Policy(Protocol):
    """Picks, and learns what a real picker learns: metrics at each scrape, answers as they pass."""

    def join(self, pod: int) -> None:
        """Have a pod in the pool from now on."""

    def leave(self, pod: int) -> None:
        """Have it there no longer; requests that are still there end later."""

    def report(self, pod: int, reading: Reading) -> None:
        """Know a pod's metrics."""

    def pick(self, request: Request, now: float) -> int | None:
        """Choose a pod; None: the request waits, which only a Holding policy may say."""

    def first_token(self, request: Request, now: float) -> None:
        """See the first token of an answer."""

    def end(self, request: Request, end: End, now: float) -> None:
        """See the end of an answer, or that there will be none."""


@runtime_checkable
class Holding(Policy, Protocol):
    """A policy in which requests wait."""

    def advance(self, now: float) -> None:
        """Let time pass; called at `next_at`."""

    def next_at(self, now: float) -> float:
        """Return when time alone will change something; infinity: never."""

    def take_placed(self) -> list[Placed]:
        """Return, once, those that wait no longer."""
