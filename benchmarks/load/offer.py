"""What is offered to the servers: which requests, and when."""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Self

import msgspec

from benchmarks.routing.trace import Request, load


class Offer(msgspec.Struct, frozen=True):
    """A part of a trace, at another rate. Equal offers are equal requests at equal times."""

    trace: Path
    part: str = "0:1"  # shares of the trace between which it is taken
    every: int = 1  # one conversation in so many
    qps: float = 1.0
    seconds: float = 60.0
    seed: int = 0

    @classmethod
    def add_arguments(cls, parser: argparse.ArgumentParser, defaults: Offer) -> None:
        """Let a command line say what is offered."""
        add = parser.add_argument
        add("--trace", type=Path, default=defaults.trace)
        add("--part", default=defaults.part, help="of the trace, such as 0.5:1")
        add("--every", type=int, default=defaults.every, help="one conversation in so many")
        add("--qps", type=float, default=defaults.qps, help="requests a second")
        add("--seconds", type=float, default=defaults.seconds, help="in which they come")
        add("--seed", type=int, default=defaults.seed, help="of the times within the trace's ticks")

    @classmethod
    def chosen(cls, options: argparse.Namespace) -> Self:
        """Return what a command line says."""
        return cls(*(getattr(options, field) for field in cls.__struct_fields__))

    def flags(self) -> list[str]:
        """Return the command line that says this."""
        values = msgspec.structs.asdict(self) | {"trace": self.trace.resolve()}
        return [f"--{name}={value}" for name, value in values.items()]

    def requests(self) -> Sequence[Request]:
        """Return the requests, the first ones first."""
        begin, _, end = self.part.partition(":")
        trace = load(self.trace).part(float(begin), float(end)).every(self.every)
        arrivals = trace.arrivals(self.qps, random.Random(self.seed))
        return list(takewhile(lambda request: request.at < self.seconds, arrivals))
