from __future__ import annotations

from random import Random

from benchmarks.micro.decide import Picker, Row, _measure_one, basis_of, measure, prompts


def test_a_picker_that_is_measured_goes_by_the_cost_before_and_after_each_round() -> None:
    rng = Random(7)
    known = prompts(1, 4, rng)
    picker, row = Picker("marginal-cost", 2, known), Row("marginal-cost", 2, 1)
    for _ in range(3):
        assert basis_of(picker.pick(known[0]).decision) == "approximate"
        _measure_one(row, picker, prompts(1, 8, rng, known[0][:200]))
    assert basis_of(picker.pick(known[0]).decision) == "approximate"


def test_each_preset_has_a_row_of_all_its_steps() -> None:
    rows = measure(["classic", "marginal-cost"], [2], [1], 1)
    assert [row.preset for row in rows] == ["classic", "marginal-cost"]
    for row in rows:
        steps = (row.new.pick_us, row.again.reserve_us, row.end_us, row.parse_us, row.route_us)
        assert all(len(figures) == 1 and figures[0] > 0.0 for figures in steps)
