from __future__ import annotations

import math

import pytest

from epp.routing.admission.courtesy import Courtesy
from epp.routing.admission.settings import AdmissionSettings

SETTINGS = AdmissionSettings(late_part=0.5, lower_part=0.7, greedy_part=0.6)


def test_among_equals_each_may_fill_an_endpoint() -> None:
    courtesy = Courtesy(SETTINGS)
    assert courtesy.arrived(0, "", 1.0) == 1.0
    assert courtesy.part(0, "", 1.0) == 1.0


def test_those_of_less_priority_leave_room_as_long_as_others_come() -> None:
    courtesy = Courtesy(SETTINGS)
    assert courtesy.arrived(5, "", 1.0) == 1.0
    assert courtesy.arrived(-1, "", 1.0) == 0.7
    assert courtesy.part(-1, "", 2.0) == 0.7
    assert courtesy.part(5, "", 2.0) == 1.0
    assert courtesy.part(-1, "", 62.0) == 1.0


def test_a_flow_beyond_its_share_leaves_room_to_those_of_its_priority() -> None:
    courtesy = Courtesy(SETTINGS)
    courtesy.served(0, "greedy", 10.0, 1.0)
    courtesy.served(0, "modest", 1.0, 1.0)
    assert courtesy.part(0, "greedy", 1.0) == 0.6
    assert courtesy.arrived(0, "greedy", 1.0) == 0.6
    assert courtesy.part(0, "modest", 1.0) == 1.0
    assert courtesy.part(1, "greedy", 1.0) == 1.0, "other priorities are counted apart"


@pytest.mark.parametrize(
    ("now", "part"), [(9.0, 0.5), (10.0, 0.5), (15.0, 0.75), (20.0, 1.0), (30.0, 1.0)]
)
def test_what_is_late_may_fill_the_more_the_longer_it_waits(now: float, part: float) -> None:
    assert Courtesy(SETTINGS).late_part(0, 10.0, 20.0, now) == pytest.approx(part)


def test_without_an_end_what_is_late_goes_on_leaving_room() -> None:
    assert Courtesy(SETTINGS).late_part(0, 10.0, math.inf, 1e9) == 0.5


def test_what_is_late_fills_no_more_with_time_while_a_flow_takes_more_than_its_share() -> None:
    courtesy = Courtesy(SETTINGS)
    courtesy.served(0, "modest", 1.0, 1.0)
    courtesy.served(0, "greedy", 10.0, 1.0)
    assert courtesy.late_part(0, 1.0, 21.0, 11.0) == 0.5
    assert courtesy.late_part(1, 1.0, 21.0, 11.0) == 0.75, "other priorities are counted apart"
    assert courtesy.late_part(0, 21.0, 41.0, 31.0) == 0.75, "it was long ago"
