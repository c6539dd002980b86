from __future__ import annotations

from epp.scheduling.prefix.cut import Cut
from epp.scheduling.prefix.matches import PrefixMatches


def test_the_blocks_are_as_many_as_the_hashes() -> None:
    assert PrefixMatches((7, 8, 9), Cut(64)).blocks == 3
    assert PrefixMatches().blocks == 0


def test_the_share_of_the_prompt_that_is_cached_is_of_its_whole_length() -> None:
    matches = PrefixMatches(range(4), Cut(64), {"a:1": 2}, {}, 512.0)
    assert (matches.share_at("a:1"), matches.share_at("b:1")) == (0.25, 0.0)


def test_an_endpoint_that_is_not_trusted_has_less() -> None:
    matches = PrefixMatches(range(4), Cut(64), {"a:1": 4}, {"a:1": 0.5}, 256.0)
    assert matches.share_at("a:1") == 0.5


def test_blocks_are_told_in_tokens() -> None:
    assert PrefixMatches(cut=Cut(256), tokens_per_unit=0.25).tokens(3) == 192.0
