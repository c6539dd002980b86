from __future__ import annotations

from typing import Any

import pytest

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.scheduling.decision import Outcome
from epp.scheduling.prefix.matches import PrefixMatches
from epp.scheduling.producers.approx_prefix_cache import ApproxPrefixCacheProducer
from epp.scheduling.query import Query
from tests.scheduling.examples import NOW, decision, endpoint, query, unknown

BLOCK = 256  # bytes: 64 tokens of 4
A, B = unknown(1), unknown(2)


def made(**parameters: Any) -> ApproxPrefixCacheProducer:
    return ApproxPrefixCacheProducer(ApproxPrefixCacheProducer.Parameters(**parameters))


def prompt(*blocks: str) -> str:
    """A prompt of one block for each letter."""
    return "".join(letter * BLOCK for letter in blocks)


def send(producer: ApproxPrefixCacheProducer, asked: Query, to: Endpoint) -> PrefixMatches:
    fact = producer.produce(asked, [A, B])
    held = producer.reserve(asked, decision(to), fact)
    producer.release(asked, decision(to), held, Outcome(), NOW)
    return fact


def matched(producer: ApproxPrefixCacheProducer, asked: Query) -> dict[str, int]:
    return dict(producer.produce(asked, [A, B]).matched)


def test_an_endpoint_has_the_prompts_that_were_sent_to_it() -> None:
    producer = made()
    send(producer, query(prompt("a", "b", "c")), A)
    send(producer, query(prompt("a", "x")), B)
    assert matched(producer, query(prompt("a", "b", "d"))) == {A.address: 2, B.address: 1}


def test_a_pick_counts_at_once() -> None:
    producer = made()
    asked = query(prompt("a"))
    producer.reserve(asked, decision(A), producer.produce(asked, [A, B]))
    assert matched(producer, asked) == {A.address: 1}


def test_the_fact_says_how_the_prompt_was_cut() -> None:
    fact = made().produce(query(prompt("a", "b") + "rest"), [A])
    assert (fact.blocks, fact.tokens(fact.blocks)) == (2, 128)


def test_a_prompt_shorter_than_a_block_leaves_no_trace() -> None:
    producer = made()
    send(producer, query("a" * (BLOCK - 1)), A)
    assert repr(producer).endswith("<PrefixIndex 0 entries of 0 endpoints>>")


@pytest.mark.parametrize("other", [{"model": "qwen"}, {"cache_salt": "tenant"}])
def test_models_and_salts_share_nothing(other: dict[str, Any]) -> None:
    producer = made()
    send(producer, query(prompt("a")), A)
    assert matched(producer, query(prompt("a"), **other)) == {}


def test_with_another_seed_the_hashes_are_others() -> None:
    one, other = made(), made()
    other.seed = 7
    asked = query(prompt("a"))
    assert one.produce(asked, []).hashes != other.produce(asked, []).hashes


def test_an_endpoint_that_left_has_nothing() -> None:
    producer = made()
    send(producer, query(prompt("a")), A)
    producer.forget(A)
    assert matched(producer, query(prompt("a"))) == {}


@pytest.mark.parametrize(("tokens", "blocks"), [(16, 8), (64, 8), (128, 4)])
def test_a_block_has_the_wanted_tokens_but_at_least_64(tokens: int, blocks: int) -> None:
    fact = made(block_size_tokens=tokens).produce(query("a" * BLOCK * 8), [])
    assert fact.blocks == blocks


@pytest.mark.parametrize(
    "limit", [{"max_prefix_blocks_to_match": 3}, {"max_prefix_tokens_to_match": 64 * 3 + 63}]
)
def test_only_the_beginning_of_a_long_prompt_is_looked_at(limit: dict[str, int]) -> None:
    assert made(**limit).produce(query("a" * BLOCK * 8), []).blocks == 3


def test_the_default_limit_is_131072_tokens() -> None:
    fact = made().produce(query("a" * 4 * 140_000), [])
    assert fact.tokens(fact.blocks) == 131_072


def holds(producer: ApproxPrefixCacheProducer, to: Endpoint) -> int:
    """How many of eight blocks the endpoint has after they were sent to it."""
    asked = query("".join(prompt(letter) for letter in "abcdefgh"))
    send(producer, asked, to)
    return matched(producer, asked).get(to.address, 0)


def test_the_cache_is_as_large_as_the_endpoint_says() -> None:
    assert holds(made(), endpoint(1, blocks=12, block_size=16)) == 3


def test_the_size_of_a_cache_is_believed_however_old_the_reading() -> None:
    old = Endpoint("a:1", load=Load(at=-1e6, blocks=12, block_size=16))
    assert holds(made(), old) == 3


def test_a_cache_smaller_than_a_block_has_one() -> None:
    assert holds(made(), endpoint(1, blocks=1, block_size=16)) == 1


@pytest.mark.parametrize(
    "to", [unknown(1), endpoint(1), endpoint(1, blocks=12), endpoint(1, blocks=0, block_size=16)]
)
def test_without_a_size_of_its_own_the_configured_one_holds(to: Endpoint) -> None:
    assert holds(made(lru_capacity_per_server=5), to) == 5


def test_without_auto_tune_the_configured_size_holds() -> None:
    producer = made(auto_tune=False, lru_capacity_per_server=5)
    assert holds(producer, endpoint(1, blocks=12, block_size=16)) == 5


def test_all_caches_together_are_bounded_whatever_an_endpoint_claims() -> None:
    assert holds(made(lru_capacity_total=4), endpoint(1, blocks=10**12, block_size=16)) == 4


def test_an_endpoint_that_reports_less_than_was_predicted_is_believed_less() -> None:
    producer = made()
    asked = query(prompt(*"abcdefgh"))
    outcome = Outcome(200, completed=True, prompt_tokens=512, cached_tokens=0)
    for _ in range(60):
        held = producer.reserve(asked, decision(A), producer.produce(asked, [A, B]))
        producer.release(asked.settled(), decision(A), held, outcome, NOW)
    fact = producer.produce(asked, [A, B])
    assert fact.share_at(A.address) < 0.01 < fact.cached_share(fact.matched[A.address])
    (trust,) = [figure for figure in producer.figures() if figure.name == "prefix_index_trust"]
    assert (trust.address, trust.value) == (A.address, 0.0)


def test_answers_that_tell_no_cached_tokens_prove_nothing() -> None:
    producer = made()
    asked = query(prompt(*"abcdefgh"))
    for _ in range(30):
        held = producer.reserve(asked, decision(A), producer.produce(asked, [A, B]))
        producer.release(asked.settled(), decision(A), held, Outcome(200, True, 512), NOW)
    assert producer.produce(asked, [A, B]).share_at(A.address) == 1.0
