from __future__ import annotations

import pytest

from epp.scheduling.prefix.cut import Cut
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.producers.approx_prefix_cache import APPROX_PREFIX
from epp.scheduling.query import Query
from epp.scheduling.scorers.prefix_cache import PrefixCacheScorer
from tests.scheduling.examples import query, unknown

A, B, C = unknown(1), unknown(2), unknown(3)


def asked(blocks: int, matched: dict[str, int], producer: str = APPROX_PREFIX) -> Query:
    return query(facts={producer: PrefixMatches(range(blocks), Cut(64), matched)})


def test_the_matched_share_of_the_blocks_is_the_score() -> None:
    found = asked(4, {A.address: 4, B.address: 1})
    assert PrefixCacheScorer().score(found, [A, B, C]) == [1.0, 0.25, 0.0]


def test_a_prompt_without_a_whole_block_matches_nowhere() -> None:
    assert PrefixCacheScorer().score(asked(0, {}), [A, B]) == [0.0, 0.0]


@pytest.mark.parametrize(("blocks", "score"), [(1, 0.0625), (2, 0.25), (4, 1.0), (8, 1.0)])
def test_the_weight_of_the_length_counts_its_square_up_to_the_scale(
    blocks: int, score: float
) -> None:
    scorer = PrefixCacheScorer(match_length_weight=1.0, match_length_scale_tokens=256)
    assert scorer.score(asked(8, {A.address: blocks}), [A]) == [score]


def test_length_and_share_are_blended() -> None:
    scorer = PrefixCacheScorer(match_length_weight=0.5, match_length_scale_tokens=256)
    assert scorer.score(asked(4, {A.address: 2}), [A]) == [0.5 * 0.25 + 0.5 * 0.5]


def test_the_facts_of_the_named_producer_are_read() -> None:
    scorer = PrefixCacheScorer(prefix_match_info_producer_name="precise")
    assert scorer.needs() == ("precise",)
    assert scorer.score(asked(1, {A.address: 1}, "precise"), [A]) == [1.0]
