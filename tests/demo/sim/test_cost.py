from __future__ import annotations

import pytest

from epp.demo.sim.cost import Chunk, Coefficients, step_time


def ms(*chunks: Chunk) -> float:
    return step_time(list(chunks)) * 1e3


def test_one_decoded_token_costs_the_floor_and_the_overheads() -> None:
    assert ms(Chunk(1, 0)) == pytest.approx(6.0 + 1.15 + 0.0044)


def test_a_full_step_of_prefill_is_linear_plus_attention() -> None:
    linear, attention = 2.9 + 8192 * 0.0218, 1.31e-6 * 8192 * 4096
    assert ms(Chunk(8192, 0)) == pytest.approx(linear + attention + 1.15 + 0.0044)


def test_a_later_chunk_pays_for_the_context_before_it() -> None:
    dearer = ms(Chunk(1000, 50_000)) - ms(Chunk(1000, 0))
    assert dearer == pytest.approx(1.31e-6 * 1000 * 50_000)


def test_a_single_token_reads_its_context_from_memory() -> None:
    assert ms(Chunk(1, 100_000)) - ms(Chunk(1, 0)) == pytest.approx(7.62)


def test_a_batch_shares_the_weights_but_not_the_contexts() -> None:
    batch = ms(*[Chunk(1, 1000)] * 64)
    assert batch == pytest.approx(6.0 + 64 * 0.0762 + 1.15 + 64 * 0.0044)


def test_coefficients_are_those_of_the_hardware() -> None:
    slow = Coefficients(floor_s=0.5, overhead_s=0.0, per_request_s=0.0)
    assert step_time([Chunk(1, 0)], slow) == 0.5
