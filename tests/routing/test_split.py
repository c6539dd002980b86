from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.routing.split import Split

WEIGHTS = st.dictionaries(st.sampled_from("abcde"), st.integers(1, 1_000_000), min_size=1)


def shares(split: Split, keys: int = 4000) -> dict[str, float]:
    counts = Counter(split.choose(f"conversation {i}".encode()) for i in range(keys))
    return {model: counts[model] / keys for model in split.weights}


@pytest.mark.parametrize(
    "weights",
    [{"a": 1, "b": 1}, {"a": 9, "b": 1}, {"a": 1, "b": 2, "c": 5}, {"a": 1_000_000, "b": 1}],
)
def test_conversations_are_shared_out_by_weight(weights: dict[str, int]) -> None:
    total = sum(weights.values())
    expected = {model: weight / total for model, weight in weights.items()}
    assert shares(Split(weights)) == pytest.approx(expected, abs=0.03)


@given(WEIGHTS, st.binary(), st.randoms(use_true_random=False))
def test_a_conversation_keeps_its_variant_whatever_the_order_of_targets(
    weights: dict[str, int], key: bytes, rng: Any
) -> None:
    shuffled = rng.sample(list(weights.items()), len(weights))
    assert Split(weights).choose(key) == Split(dict(shuffled)).choose(key)
    assert Split(weights).choose(key) in weights


@given(WEIGHTS, st.sampled_from("abcde"), st.integers(1, 1_000_000), st.binary())
def test_a_changed_weight_moves_conversations_only_to_or_from_that_model(
    weights: dict[str, int], model: str, weight: int, key: bytes
) -> None:
    changed = {**weights, model: weight}
    before, after = Split(weights).choose(key), Split(changed).choose(key)
    if before != after:
        assert model in {before, after}
        grew = weight > weights.get(model, 0)
        assert (after if grew else before) == model
