from __future__ import annotations

import pytest

from benchmarks.routing.policies.beliefs import scaled
from epp.config.load import load_preset
from epp.config.presets import CLASSIC, MARGINAL_COST
from epp.scheduling.ledger.coefficients import Coefficients
from epp.scheduling.producers.work_ledger import LEDGER, WorkLedgerProducer
from epp.scheduling.registry import producers


def test_all_times_are_wrong_by_the_same_factor_and_nothing_else_is() -> None:
    config = scaled(load_preset(MARGINAL_COST), 2.0)
    (spec,) = (spec for spec in config.plugins if spec.type == LEDGER)
    ledger = producers.make(LEDGER, spec.parameters)
    assert isinstance(ledger, WorkLedgerProducer)
    true = Coefficients()
    believed = ledger._coefficients
    assert believed.prefill_s(1000, 500) == pytest.approx(2 * true.prefill_s(1000, 500))
    assert believed.decode_step_s(9000, 9) == pytest.approx(2 * true.decode_step_s(9000, 9))
    assert believed.chunk_s == true.chunk_s


def test_a_configuration_that_believes_nothing_stays_as_it_is() -> None:
    classic = load_preset(CLASSIC)
    assert scaled(classic, 2.0) == classic
