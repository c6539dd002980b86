"""Each policy against what its formula says."""

from __future__ import annotations

import random

import pytest

from benchmarks.routing.pod import Reading
from benchmarks.routing.policies.catalogue import POLICIES, Setting
from benchmarks.routing.policies.policy import End, Holding, Policy
from benchmarks.routing.policies.prefixes import Prefixes
from benchmarks.routing.prompts import Prompts
from benchmarks.routing.trace import Request
from tests.benchmarks.routing.requests import request


def made(name: str, pods: int = 2) -> Policy:
    policy = POLICIES[name](Setting(random.Random(1), Prompts(), 421_000, 2.0))
    for pod in range(pods):
        policy.join(pod)
    return policy


def report(policy: Policy, *waiting: int) -> None:
    for pod, count in enumerate(waiting):
        policy.report(pod, Reading(0.0, count, 1, 0.1))


def picks(policy: Policy, *requests: Request) -> list[int | None]:
    return [_pick(policy, r) for r in requests]


def _pick(policy: Policy, request: Request) -> int | None:
    pod = policy.pick(request, 0.0)
    if isinstance(policy, Holding):
        return next((placed.pod for placed in policy.take_placed()), pod)
    return pod


def test_round_robin_takes_turns() -> None:
    assert picks(made("round-robin", 3), *(request(n, 10) for n in range(4))) == [0, 1, 2, 0]


@pytest.mark.parametrize("name", ["least-request", "power-of-two"])
def test_the_fewest_requests_win(name: str) -> None:
    policy = made(name)
    busy, other = picks(policy, request(1, 10), request(2, 10_000))
    assert busy != other
    policy.end(request(2, 10_000), End(), 1.0)
    assert policy.pick(request(3, 10), 1.0) == other


def test_cache_aware_follows_a_match_of_over_three_tenths_however_busy() -> None:
    policy = made("cache-aware")
    (first,) = picks(policy, request(0, 2048, prompt=7))
    assert picks(policy, *(request(n, 2048, prompt=7) for n in range(1, 60))) == [first] * 59


def test_cache_aware_balances_when_loads_differ_much() -> None:
    policy = made("cache-aware")
    chosen = picks(policy, *(request(n, 2048, prompt=7) for n in range(70)))
    assert chosen.count(chosen[0]) == 65 + 2, "65 are too many, then each follows the other"


def test_cache_aware_sends_what_is_new_to_the_smallest_index() -> None:
    policy = made("cache-aware")
    first, other = picks(policy, request(1, 10_000), request(2, 1000))
    assert first != other
    assert policy.pick(request(3, 1000), 0.0) == other


def test_aibrix_follows_a_match_until_a_pod_is_much_busier() -> None:
    policy = made("aibrix-prefix", 3)
    first, other, third = picks(policy, *(request(n, 2048, prompt=7) for n in range(3)))
    assert other != first, "1, 0, 0: one is over the mean by more than a deviation"
    assert third in {first, other}, "1, 1, 0: it is not"


def test_dynamo_adds_tokens_to_compute_and_tokens_held() -> None:
    policy = made("dynamo-kv")
    first, other = picks(policy, request(1, 4096, prompt=7), request(2, 6000))
    assert first != other
    # There: 0 to compute and 4096 + 5000 held, less the match; here 6000 more of each.
    assert policy.pick(request(3, 5000, prompt=7), 0.0) == first
    policy.first_token(request(2, 6000), 0.1)
    policy.end(request(2, 6000), End(), 0.2)
    assert policy.pick(request(4, 2000), 0.2) == other


def test_lmetric_multiplies_tokens_to_compute_with_requests() -> None:
    policy = made("lmetric")
    first, other = picks(policy, request(1, 100), request(2, 10_000))
    assert first != other
    # 1 request and 100 tokens against 1 request and 10,000 tokens, until those are computed.
    assert policy.pick(request(3, 100), 0.0) == first
    policy.first_token(request(2, 10_000), 0.5)
    assert policy.pick(request(4, 100), 0.5) == other


def test_classic_is_the_pickers_own_scheduler_on_scraped_metrics() -> None:
    policy = made("classic", 3)
    report(policy, 5, 0, 3)
    assert policy.pick(request(1, 1000), 0.0) == 1


@pytest.mark.parametrize("name", POLICIES)
def test_a_pod_that_left_gets_nothing_and_old_requests_end_quietly(name: str) -> None:
    policy = made(name)
    report(policy, 0, 0)
    old = [request(n, 2048, prompt=7) for n in range(6)]
    picks(policy, *old)
    policy.leave(0)
    for r in old:
        policy.end(r, End(ok=False), 1.0)
    assert picks(policy, *(request(n, 2048, prompt=7) for n in range(6, 12))) == [1] * 6


def test_an_index_believes_in_the_latest_spans_alone() -> None:
    prefixes = Prefixes(4 * 512)
    prefixes.insert(0, (1, 2, 3))
    prefixes.insert(0, (4, 5))
    assert prefixes.tokens(0, (1, 2, 3)) == 2 * 512
    assert prefixes.tokens(0, (4, 5, 6)) == 2 * 512
    assert prefixes.tokens(1, (1,)) == 0
