from __future__ import annotations

from epp.scheduling.prefix.cut import Cut
from epp.scheduling.prefix.matches import PrefixMatches


def test_the_blocks_are_as_many_as_the_hashes() -> None:
    assert PrefixMatches((7, 8, 9), Cut(64)).blocks == 3
    assert PrefixMatches().blocks == 0
