"""The KV memory of a model server: blocks, and which prefixes they hold."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

BLOCK_TOKENS = 16  # the unit of allocation
SPAN_TOKENS = 512  # the unit of reuse: one id of a trace's prompt
SPAN_BLOCKS = SPAN_TOKENS // BLOCK_TOKENS


class Memory:
    """Counts blocks. Those of a computed span can be shared; all others belong to one request.

    A span that no request holds stays until its blocks are needed. Those given back first go
    first, and of one prompt its end.
    """

    __slots__ = ("_idle", "_refs", "blocks", "free")

    def __init__(self, tokens: int) -> None:
        self.blocks = tokens // BLOCK_TOKENS
        self.free = self.blocks  # hold nothing that anybody could reuse
        self._refs: dict[int, int] = {}  # span id to the requests that hold it
        self._idle: dict[int, None] = {}  # spans that nobody holds, next to go first

    def __repr__(self) -> str:
        return f"<Memory {self.available} of {self.blocks} blocks available>"

    @property
    def available(self) -> int:
        """The blocks that a request could get."""
        return self.free + SPAN_BLOCKS * len(self._idle)

    @property
    def held(self) -> int:
        """The blocks in spans that some request holds."""
        return SPAN_BLOCKS * (len(self._refs) - len(self._idle))

    @property
    def usage(self) -> float:
        """The share of the blocks that requests hold."""
        return 1.0 - self.available / self.blocks

    def matched(self, ids: Sequence[int]) -> int:
        """Return how many leading spans of a prompt are there."""
        refs = self._refs
        for count, span in enumerate(ids):
            if span not in refs:
                return count
        return len(ids)

    def hold(self, ids: Sequence[int]) -> None:
        """Keep these spans, which are there, until they are dropped."""
        for span in ids:
            if self._refs[span] == 0:
                del self._idle[span]
            self._refs[span] += 1

    def drop(self, ids: Sequence[int]) -> None:
        """Let go of held spans."""
        for span in reversed(ids):
            self._refs[span] -= 1
            if self._refs[span] == 0:
                self._idle[span] = None

    def take(self, blocks: int) -> bool:
        """Take blocks for one request, or say that there are too few."""
        if blocks > self.available:
            return False
        if blocks > self.free:
            self._evict(-(-(blocks - self.free) // SPAN_BLOCKS))
        self.free -= blocks
        return True

    def give(self, blocks: int) -> None:
        """Take blocks of one request back."""
        self.free += blocks

    def publish(self, span: int) -> None:
        """Make a computed span, whose blocks one request has, one that others can share.

        If the same span was computed twice at the same time, one copy is given up.
        """
        if span in self._refs:
            self.give(SPAN_BLOCKS)
            self.hold((span,))
        else:
            self._refs[span] = 1

    def _evict(self, spans: int) -> None:
        for span in list(islice(self._idle, spans)):
            del self._idle[span]
            del self._refs[span]
        self.free += spans * SPAN_BLOCKS
