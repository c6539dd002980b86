from __future__ import annotations

import pytest

from epp.config.build import build
from epp.config.error import ConfigError
from epp.config.load import default, load_preset
from epp.config.presets import DEFAULT_PRESET, PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_good_and_has_nothing_odd(name: str) -> None:
    assert build(load_preset(name), seed=1).warnings == ()


def test_a_picker_that_was_told_nothing_takes_the_default_preset() -> None:
    assert default() == load_preset(DEFAULT_PRESET)


def test_the_marginal_cost_decides_among_those_that_work() -> None:
    (profile,) = load_preset("marginal-cost").scheduling_profiles
    assert [(r.plugin_ref, r.weight) for r in profile.plugins] == [
        ("failure-memory-filter", None),
        ("marginal-cost-scorer", 1.0),
        ("max-score-picker", None),
    ]


def test_an_unknown_preset_is_refused_with_what_may_be_meant() -> None:
    with pytest.raises(ConfigError, match="there is no such preset; did you mean"):
        load_preset("marginal-cots")
