"""How one server is read."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from epp.scrape.reader import Reader
from epp.scrape.target import Target


class Way(msgspec.Struct, frozen=True, eq=False):
    """A page of the server, asked for at most every `every_s` seconds, and what reads it.

    `models` is where the server lists its models; None: it is not asked. Without a `reader` there
    is no page: nothing is known of the load but what was sent from here, and that the server
    lives, if it answers the question for its models, whatever it says.
    """

    engine: str
    page: Target
    reader: Reader | None = None
    models: Target | None = None
    every_s: float = 0.0
    tells_waiting: bool = False  # how many requests wait; the reader's own word


class Probe(msgspec.Struct, frozen=True, eq=False):
    """A page that tells what the server is: `recognise` returns None if it is something else."""

    page: Target
    recognise: Callable[[bytes], Way | None]
