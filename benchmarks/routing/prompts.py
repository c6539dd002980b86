"""The text of a prompt of which a trace tells only the ids of its spans."""

from __future__ import annotations

import random

from benchmarks.routing.memory import SPAN_TOKENS
from benchmarks.routing.trace import Request

CHARACTERS_PER_TOKEN = 4.0
_NAME = 8  # characters of a span's name


class Prompts:
    """Writes each span as its name, over and over, so that equal ids give equal text.

    `characters` of a token are what a picker has to guess. With `spread` 0.3 they differ by up to
    30 % from one conversation to the next; all that follow the same second span are one.
    """

    def __init__(self, characters: float = CHARACTERS_PER_TOKEN, spread: float = 0.0) -> None:
        self.characters = characters
        self.spread = spread

    def text(self, request: Request) -> str:
        """Return the prompt."""
        ids, spans = request.ids, request.input_tokens / SPAN_TOKENS
        first, rest = self._span(1.0), self._span(self._factor(ids))
        pieces = [_fill(ids[0], first)] + [_fill(span, rest) for span in ids[1:]]
        size = first * min(1.0, spans) + rest * max(0.0, spans - 1.0)
        return "".join(pieces)[: max(1, round(size))]

    def _span(self, factor: float) -> int:
        return round(SPAN_TOKENS * self.characters * factor)

    def _factor(self, ids: tuple[int, ...]) -> float:
        if not self.spread or len(ids) < 2:
            return 1.0
        return random.Random(ids[1]).uniform(1.0 - self.spread, 1.0 + self.spread)


def _fill(span: int, size: int) -> str:
    return (f"{span:07x} " * (size // _NAME + 1))[:size]
