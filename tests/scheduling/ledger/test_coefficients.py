from __future__ import annotations

import pytest

from epp.scheduling.ledger.coefficients import Coefficients

WORK = Coefficients(token_s=1e-3, pair_s=1e-6, step_s=1e-2, step_token_s=1e-7, step_request_s=1e-5)


def test_a_prefill_costs_its_tokens_and_the_pairs_with_all_before_them() -> None:
    assert WORK.prefill_s(100, 100) == pytest.approx(100e-3 + 1e-6 * 100 * 50)


def test_cached_tokens_are_not_computed_but_looked_back_at() -> None:
    assert WORK.prefill_s(1000, 10) == pytest.approx(10e-3 + 1e-6 * 10 * 995)


def test_a_decode_step_grows_with_the_tokens_held_and_the_requests() -> None:
    assert WORK.decode_step_s(0, 0) == 1e-2
    assert WORK.decode_step_s(10_000, 3) == pytest.approx(1e-2 + 1e-3 + 3e-5)
