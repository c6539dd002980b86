"""Which prefixes a picker believes each pod to have."""

from __future__ import annotations

from itertools import islice

from benchmarks.routing.memory import SPAN_TOKENS


class Prefixes:
    """The spans that were sent to each pod, the latest `tokens` of them."""

    def __init__(self, tokens: int) -> None:
        self._capacity = tokens // SPAN_TOKENS
        self._spans: dict[int, dict[int, None]] = {}

    def tokens(self, pod: int, ids: tuple[int, ...]) -> int:
        """Return how many leading tokens of a prompt the pod should have."""
        spans = self._spans.get(pod, {})
        for count, span in enumerate(ids):
            if span not in spans:
                return count * SPAN_TOKENS
        return len(ids) * SPAN_TOKENS

    def size(self, pod: int) -> int:
        """Return the number of spans of a pod."""
        return len(self._spans.get(pod, ()))

    def insert(self, pod: int, ids: tuple[int, ...]) -> None:
        """Believe that the pod has them now; earlier ones stay longer than later ones."""
        spans = self._spans.setdefault(pod, {})
        for span in reversed(ids):
            spans.pop(span, None)
            spans[span] = None
        for span in list(islice(spans, max(0, len(spans) - self._capacity))):
            del spans[span]

    def drop(self, pod: int) -> None:
        """Forget a pod."""
        self._spans.pop(pod, None)
