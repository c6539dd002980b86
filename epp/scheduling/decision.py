"""A choice, with all that led to it."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from epp.pool.endpoint import Endpoint


class Exhausted(enum.Enum):
    """Why no endpoint is left."""

    NO_ENDPOINTS = "no-endpoints"
    SATURATED = "saturated"


class Verdict(msgspec.Struct, frozen=True):
    """What one filter dropped: addresses, in the order in which it saw them."""

    plugin: str
    dropped: tuple[str, ...]


class Details(Protocol):
    """How a scorer came to its numbers; worked out when somebody asks, not at each choice."""

    @property
    def basis(self) -> str:
        """What the scorer went by; it cannot always go by the same."""
        ...

    def terms(self, index: int) -> Mapping[str, float]:
        """Return what the score of one candidate is made of, in its place."""
        ...

    def words(self, index: int) -> str:
        """Say the same shortly; nothing, if the score says enough."""
        ...


class Scores(list[float]):
    """A scorer's numbers, with how it came to them.

    `bounded`: all are from 0 to 1 or NaN, as the way they are made has it, so nobody needs to look.
    """

    __slots__ = ("bounded", "details")

    def __init__(
        self, numbers: Iterable[float], details: Details, *, bounded: bool = False
    ) -> None:
        super().__init__(numbers)
        self.details = details
        self.bounded = bounded


class Column(msgspec.Struct, frozen=True):
    """One scorer's opinion: a raw score from 0 to 1 for each candidate, in their order."""

    plugin: str
    weight: float
    raw: Sequence[float]
    details: Details | None = None


class Decision(msgspec.Struct, frozen=True, eq=False):
    """The endpoints picked, best first, and why.

    The inputs are the candidates themselves: each carries the load it was judged by, whose age is
    `at - load.at`.
    """

    at: float
    profile: str
    picked: tuple[Endpoint, ...]
    candidates: tuple[Endpoint, ...]  # what the filters left over
    verdicts: tuple[Verdict, ...] = ()
    columns: tuple[Column, ...] = ()
    totals: Sequence[float] = ()  # weighted sums, in the order of the candidates
    picker: str = ""
    waited_s: float = 0.0  # in the picker, until the winner could take the request
    waited_for: str = ""  # what kept it from there at last

    @property
    def winner(self) -> Endpoint:
        """The destination."""
        return self.picked[0]

    @property
    def runner_up(self) -> tuple[Endpoint, float] | None:
        """The best candidate that is not the destination and the margin (negative: it scored
        higher, and chance or another rule decided).
        """
        others = [
            (t, i) for i, t in enumerate(self.totals) if self.candidates[i] is not self.winner
        ]
        if not others:
            return None
        total, index = max(others, key=lambda other: other[0])
        return self.candidates[index], self.total_of(self.winner) - total

    def settled(self) -> Decision:
        """Return where the request went, without why: that holds on to a view of the whole pool."""
        return Decision(self.at, self.profile, self.picked, self.picked, picker=self.picker)

    def total_of(self, endpoint: Endpoint) -> float:
        """The weighted sum of one candidate."""
        return next(t for t, c in zip(self.totals, self.candidates, strict=True) if c is endpoint)


class Refusal(msgspec.Struct, frozen=True):
    """No endpoint can take the request."""

    why: Exhausted
    verdicts: tuple[Verdict, ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """How a routed request ended. `status` 0: nothing was seen of the answer."""

    status: int = 0
    completed: bool = False  # the answer was seen to its end
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    ttft_s: float | None = None  # from the pick to the first token of the answer
    itl_s: float | None = None  # mean time from one token to the next
