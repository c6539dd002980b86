from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.routing.step_time import StepTime, Stretch


def test_a_step_costs_the_sum_of_its_parts() -> None:
    seconds = StepTime().step(tokens=1000, pairs=5e5, context=10_000, batch=11)
    assert seconds == pytest.approx(
        2.9e-3 + 1000 * 21.8e-6 + 5e5 * 1.31e-9 + 10_000 * 76.2e-9 + 1.15e-3 + 11 * 4.4e-6
    )


def test_a_small_step_takes_as_long_as_reading_the_weights() -> None:
    assert StepTime().step(1, 0.0, 0, 1) == pytest.approx(6e-3 + 1.15e-3 + 4.4e-6)


def test_a_stretch_is_as_long_as_its_steps_one_by_one() -> None:
    stretch = Stretch(100, 0.01, 0.002)
    assert stretch.length(7) == pytest.approx(sum(0.01 + n * 0.002 for n in range(7)))


@given(st.floats(0.001, 0.2), st.one_of(st.just(0.0), st.floats(1e-9, 1e-3)), st.integers(0, 998))
def test_in_the_middle_of_a_step_those_before_it_are_done(
    first: float, growth: float, done: int
) -> None:
    stretch = Stretch(1000, first, growth)
    middle = (stretch.length(done) + stretch.length(done + 1)) / 2
    assert stretch.done_after(middle) == done


def test_the_last_step_is_not_done_before_its_end_is_told() -> None:
    assert Stretch(3, 0.01).done_after(1.0) == 2


def test_what_is_left_goes_on_where_it_was() -> None:
    stretch = Stretch(10, 0.01, 0.002)
    assert stretch.length(4) + stretch.after(4).length(6) == pytest.approx(stretch.length(10))
