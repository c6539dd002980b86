"""How much of a prompt each endpoint has cached."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from epp.scheduling.prefix.cut import Cut
from epp.scheduling.prefix.depths import Depths

_CUT = Cut(1)


class PrefixMatches(msgspec.Struct, frozen=True):
    """The prompt's blocks and how many leading ones each endpoint has; those with none are left
    out. Every producer of prefix facts gives this one.
    """

    hashes: Sequence[int] = ()
    cut: Cut = _CUT
    matched: Mapping[str, int] = {}
    trust: Mapping[str, float] = {}  # of endpoints that had less than was predicted: the share
    prompt_units: float = 0.0  # the length of the whole prompt, in the cut's units
    tokens_per_unit: float = 1.0
    precise: Collection[str] = ()  # endpoints whose matches they told themselves

    @property
    def blocks(self) -> int:
        """The number of whole blocks in the prompt, up to the producer's limit."""
        return len(self.hashes)

    def slim(self) -> PrefixMatches:
        """Return what explains a choice later, without the prompt's hashes."""
        return PrefixMatches(
            (),
            self.cut,
            self.matched,
            self.trust,
            self.prompt_units,
            self.tokens_per_unit,
            self.precise,
        )

    def tokens(self, blocks: int) -> float:
        """Return the tokens in so many leading blocks."""
        return self.cut.reach(blocks) * self.tokens_per_unit

    def cached_share(self, blocks: int) -> float:
        """Return which share of the prompt so many leading blocks are."""
        return self.cut.reach(blocks) / self.prompt_units if blocks else 0.0

    def depths(self, addresses: Iterable[str]) -> list[int]:
        """Return how many leading blocks each of these endpoints has."""
        matched = self.matched
        if isinstance(matched, Depths):
            return matched.of(addresses)
        return [matched.get(address, 0) for address in addresses]

    def share_at(self, address: str) -> float:
        """Return which share of the prompt one endpoint has, as far as it can be trusted."""
        share = self.cached_share(self.matched.get(address, 0))
        return share * self.trust.get(address, 1.0) if share else 0.0
