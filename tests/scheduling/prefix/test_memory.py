"""What a full index of a large pool weighs."""

from __future__ import annotations

import gc
import random
import tracemalloc

import pytest

from epp.scheduling.prefix.blocks import HASH_BITS
from epp.scheduling.producers.approx_prefix_cache import ApproxPrefixCacheProducer
from epp.scheduling.query import Query
from tests.scheduling.examples import decision, endpoint

MIB = 1024 * 1024
PODS = 64
POD = {"blocks": 26_312, "block_size": 16}  # 421,000 tokens: an 8B model on 80 GB


@pytest.mark.slow
@pytest.mark.parametrize("shared", [0, 8])
def test_64_pods_of_80_gb_take_at_most_64_mib(shared: int) -> None:
    """Every pod is filled twice over with prompts of 2,048 tokens, the costliest for the index."""
    producer = ApproxPrefixCacheProducer(ApproxPrefixCacheProducer.Parameters())
    rng = random.Random(1)
    pods = [endpoint(n, **POD) for n in range(PODS)]
    fact = producer.produce(Query("m", "x" * 8192), [])
    heads = [[rng.getrandbits(HASH_BITS) for _ in range(shared)] for _ in range(20)]
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(2 * 421_000 // 2048):
            for pod in pods:
                head = rng.choice(heads)
                tail = [rng.getrandbits(HASH_BITS) for _ in range(32 - shared)]
                hashes = [*head, *tail]
                producer._index.insert(pod.address, hashes, producer._capacity_of(pod))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert fact.blocks == 32
    assert len(producer._index) == pytest.approx(PODS * 421_000 // 64, rel=0.05)
    assert held < 64 * MIB
    producer.reserve(Query("m"), decision(pods[0]), fact)


def test_larger_caches_share_what_there_is() -> None:
    producer = ApproxPrefixCacheProducer(
        ApproxPrefixCacheProducer.Parameters(lru_capacity_total=1000)
    )
    rng = random.Random(1)
    for _ in range(50):
        for n in range(8):
            hashes = [rng.getrandbits(HASH_BITS) for _ in range(32)]
            producer._index.insert(endpoint(n).address, hashes, 10**9)
    assert len(producer._index) == 1000
