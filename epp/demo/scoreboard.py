"""What the traffic has met so far, by replica."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence

import msgspec

from epp.demo.traffic import Answer


class Figures(msgspec.Struct, frozen=True):
    """Of one replica, or of all together; times in seconds."""

    answers: int
    errors: int
    first_token_p50_s: float
    first_token_p90_s: float
    whole_mean_s: float
    cached_share: float  # of the prompt tokens


class Scoreboard:
    """Collects answers."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self._by_replica: dict[str, list[Answer]] = defaultdict(list)

    def tell(self, answer: Answer) -> None:
        """Take note of an answer."""
        self.answers.append(answer)
        self._by_replica[answer.replica].append(answer)

    def of(self, replica: str) -> Figures:
        """Return the figures of one replica."""
        return figures(self._by_replica[replica])

    def all(self) -> Figures:
        """Return the figures of all replicas together."""
        return figures(self.answers)


def figures(answers: Sequence[Answer]) -> Figures:
    """Summarise `answers`; the times are those of the answers that came."""
    good = [answer for answer in answers if not answer.error]
    first = sorted(answer.first_token_s for answer in good)
    prompt = sum(answer.prompt_tokens for answer in good)
    return Figures(
        answers=len(good),
        errors=len(answers) - len(good),
        first_token_p50_s=quantile(first, 0.5),
        first_token_p90_s=quantile(first, 0.9),
        whole_mean_s=statistics.fmean([a.whole_s for a in good]) if good else 0.0,
        cached_share=sum(a.cached_tokens for a in good) / prompt if prompt else 0.0,
    )


def quantile(ascending: Sequence[float], share: float) -> float:
    """Return what `share` of the values are below; 0 if there are none."""
    if not ascending:
        return 0.0
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]
