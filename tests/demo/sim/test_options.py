from __future__ import annotations

import pytest

from epp.demo.sim.options import SimOptions


def test_the_defaults_are_an_eight_billion_model_on_one_card() -> None:
    options = SimOptions()
    assert options.limits.kv_tokens == 420_992
    assert options.context_length == 131_072


def test_the_context_is_never_longer_than_the_memory() -> None:
    assert SimOptions(num_gpu_blocks=10, block_size=16).context_length == 160


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("served_model_name", ()),
        ("max_num_seqs", 0),
        ("max_num_batched_tokens", 0),
        ("num_gpu_blocks", 0),
        ("block_size", 0),
        ("max_model_len", 0),
        ("speed", 0.0),
        ("time_scale", -1.0),
        ("background_rps", -1.0),
    ],
)
def test_an_impossible_option_is_named(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        SimOptions(**{field: value})  # type: ignore[arg-type]
