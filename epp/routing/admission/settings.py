"""How long requests may wait, and how many."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from epp.routing.admission.limits import RoomLimits


class AdmissionSettings(msgspec.Struct, frozen=True):
    """How long, and how many, may wait."""

    ttl_s: float = 60.0  # then a request goes where it can, open or not, or is refused
    limits: RoomLimits = RoomLimits()
    bands: Mapping[int, RoomLimits] = {}  # of single priorities, besides
    shed_expired: bool = True  # else a request goes where it can, open or not
    shed_late: bool = False  # refuse whatever is late, not only what may be shed
    shortest_first: float = 0.0  # seconds that a request may be passed by for each of its work
    late_part: float = 0.5  # of an endpoint's full work, up to which what is late may go there
    lower_part: float = 0.7  # the same for those of less priority than others have
    greedy_part: float = 0.6  # the same for flows that have had more than their share
