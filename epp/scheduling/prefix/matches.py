"""How much of a prompt each endpoint has cached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec


class PrefixMatches(msgspec.Struct, frozen=True):
    """The prompt's blocks and how many leading ones each endpoint has; those with none are left
    out. Every producer of prefix facts gives this one.
    """

    hashes: Sequence[int] = ()
    block_tokens: int = 0
    matched: Mapping[str, int] = {}

    @property
    def blocks(self) -> int:
        """The number of whole blocks in the prompt, up to the producer's limit."""
        return len(self.hashes)
