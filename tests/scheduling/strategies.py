"""Arbitrary endpoints, loads and queries: everything that the types and the scraper allow."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load, LoraAdapters
from epp.scheduling.decision import Outcome
from epp.scheduling.query import Query

# A loaded machine is no reason to fail, and there are many plugins to try.
briefly = settings(max_examples=30, deadline=None)

MODELS = st.sampled_from(["llama", "llama-sql", "llama-de", "qwen"])
LABELS = st.dictionaries(
    st.sampled_from(["role", "zone", "gpu"]), st.sampled_from(["a", "b", ""]), max_size=3
)
COUNTS = st.none() | st.integers(-1, 5) | st.integers(0, 10**30)
SHARES = st.none() | st.floats(0.0, 1.0) | st.floats(allow_nan=False, allow_infinity=False)
SECONDS = st.floats(0.0, 1e6)

lora_adapters = st.builds(
    LoraAdapters,
    running=st.frozensets(MODELS),
    waiting=st.frozensets(MODELS),
    max_loaded=st.integers(0, 4),
)
loads = st.builds(
    Load,
    at=SECONDS,
    waiting=COUNTS,
    running=COUNTS,
    kv_cache_usage=SHARES,
    loras=st.none() | lora_adapters,
    block_size=st.none() | st.integers(0, 512),
    blocks=st.none() | st.integers(0, 10**12),
)


@st.composite
def endpoints(draw: st.DrawFn, *, min_size: int = 0, max_size: int = 6) -> list[Endpoint]:
    """A pool: addresses differ, everything else may be equal."""
    count = draw(st.integers(min_size, max_size))
    return [
        Endpoint(
            address=f"10.0.0.{number}:8000",
            name=draw(st.sampled_from(["", f"pod-{number}"])),
            labels=draw(LABELS),
            generation=draw(st.integers(0, 3)),
            load=draw(st.none() | loads),
        )
        for number in range(count)
    ]


headers = st.dictionaries(
    st.sampled_from(["x-session-id", "x-session-token", "test-epp-endpoint-selection"]),
    st.text(max_size=20) | st.sampled_from(["10.0.0.1", "10.0.0.0:8000", "MTAuMC4wLjA6ODAwMA=="]),
)
queries = st.builds(
    Query,
    model=MODELS,
    prompt=st.text(max_size=600) | st.integers(0, 4096).map("ab".__mul__),
    cache_salt=st.sampled_from(["", "tenant"]),
    headers=headers,
    now=SECONDS,
    max_load_age_s=st.sampled_from([2.0, 1e9]),
    max_tokens=st.none() | st.integers(0, 2**31 - 1),
    priority=st.integers(-5, 5),
    stream=st.booleans(),
)
TOKENS = st.none() | st.integers(0, 10**9)
outcomes = st.builds(
    Outcome,
    status=st.sampled_from([0, 200, 429, 500, 503]),
    completed=st.booleans(),
    prompt_tokens=TOKENS,
    completion_tokens=TOKENS,
    cached_tokens=TOKENS,
    ttft_s=st.none() | st.floats(0.0, 1e6),
    itl_s=st.none() | st.floats(0.0, 1e3),
)
