"""How soon answers were promised, and how many kept it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from epp.demo.scoreboard import quantile
from epp.demo.traffic import Answer


class Promise(msgspec.Struct, frozen=True):
    """Seconds to the first token, and on average from one token to the next."""

    ttft_s: float
    tpot_s: float

    def kept_by(self, answer: Answer) -> bool:
        """Whether the answer came, and in time."""
        return (
            not answer.error
            and answer.first_token_s <= self.ttft_s
            and answer.per_token_s <= self.tpot_s
        )


class Kept(msgspec.Struct, frozen=True):
    """What became of the requests; the times are those of the answers that came."""

    requests: int
    refused: int
    failed: int
    share: float  # of all requests, those that had what was promised
    ttft_p90_s: float
    tpot_p90_s: float


def kept(answers: Sequence[Answer], promise: Promise) -> Kept:
    """Judge the answers."""
    came = [answer for answer in answers if not answer.error]
    refused = sum(answer.refused for answer in answers)
    return Kept(
        requests=len(answers),
        refused=refused,
        failed=len(answers) - len(came) - refused,
        share=sum(map(promise.kept_by, answers)) / len(answers) if answers else 0.0,
        ttft_p90_s=quantile(sorted(answer.first_token_s for answer in came), 0.9),
        tpot_p90_s=quantile(sorted(answer.per_token_s for answer in came), 0.9),
    )
