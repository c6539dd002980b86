"""What clients saw."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from benchmarks.routing.measure import Measured, Targets

TARGETS = Targets()  # what a request must meet to count


class Seen(msgspec.Struct):
    """What a client saw of one answer; seconds since it asked."""

    first_s: float | None = None
    whole_s: float | None = None
    tokens: int = 0
    status: int = 0

    @property
    def tpot_s(self) -> float:
        """Mean time from one token to the next."""
        if self.first_s is None or self.whole_s is None or self.tokens < 2:
            return 0.0
        return (self.whole_s - self.first_s) / (self.tokens - 1)

    @property
    def in_time(self) -> bool:
        """Whether an answer that came whole met both targets."""
        return (self.first_s or 0.0) <= TARGETS.ttft_s and self.tpot_s <= TARGETS.tpot_s


class Played(msgspec.Struct, frozen=True):
    """All of them, and the CPU time that it took to see them."""

    answers: Sequence[Seen]
    cpu_s: float = 0.0


class Outcome(msgspec.Struct, frozen=True):
    """The answers of one run, summed up. Times in seconds, of those that came whole."""

    requests: int
    refused: int  # with 429
    failed: int
    goodput: float  # share of all requests
    ttft_p50: float
    ttft_p90: float
    ttft_p99: float
    tpot_p90: float

    @classmethod
    def of(cls, answers: Sequence[Seen]) -> Outcome:
        """Sum a run up; an answer that did not come whole has failed."""
        whole = [seen for seen in answers if seen.status == 200 and seen.whole_s is not None]
        refused = sum(seen.status == 429 for seen in answers)
        ttft = sorted(seen.first_s or 0.0 for seen in whole)
        tpot = sorted(seen.tpot_s for seen in whole)
        met = sum(seen.in_time for seen in whole)
        return cls(
            len(answers),
            refused,
            len(answers) - len(whole) - refused,
            met / len(answers),
            _quantile(ttft, 0.5),
            _quantile(ttft, 0.9),
            _quantile(ttft, 0.99),
            _quantile(tpot, 0.9),
        )

    @classmethod
    def simulated(cls, requests: int, found: Measured) -> Outcome:
        """Return what a simulation has found, in the same words."""
        refused = round(found.refused * requests)
        times = (found.ttft_p50, found.ttft_p90, found.ttft_p99, found.tpot_p90)
        return cls(requests, refused, 0, found.goodput, *times)


def _quantile(ordered: Sequence[float], share: float) -> float:
    if not ordered:
        raise SystemExit("no request was answered")
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
