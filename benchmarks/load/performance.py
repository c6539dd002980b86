"""A run in real time: what clients saw, and how far the machine carried it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from benchmarks.load.outcome import Outcome
from epp.demo.sim.driver import Lateness


class Performance(msgspec.Struct, frozen=True):
    """One run."""

    outcome: Outcome
    cpu_s: Mapping[str, float]  # of each part
    seconds: float  # in which requests came
    lateness: Lateness  # of all servers together

    def carried(self) -> str:
        """Return how far the machine carried it."""
        told = self.lateness
        cores = ", ".join(
            f"{part} {cpu_s / self.seconds:.2f}" for part, cpu_s in self.cpu_s.items()
        )
        return (
            f"a step's tokens came {1000 * told.late_s / max(1, told.steps):.1f} ms late on "
            f"average, {told.lost_s:.1f} s of the servers' {told.worked_s:.0f} s were lost; "
            f"cores: {cores}"
        )
