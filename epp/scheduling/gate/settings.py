"""What the gate goes by."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from epp.scheduling.gate.targets import Targets


class GateSettings(msgspec.Struct, frozen=True):
    """Targets of the pool and of single models, and how tightly they are planned for."""

    targets: Targets = Targets()
    models: Mapping[str, Targets] = {}
    hold_share: float = 0.15  # prefill that may be queued where a request goes, of its TTFT target
    longest_hold_s: float = 1.0  # the same in seconds, and where there is no target
    first_share: float = 0.25  # of what the target between tokens leaves to decode steps, at first
