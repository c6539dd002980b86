"""A number that a plugin has learned, for those who watch it."""

from __future__ import annotations

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """One value of one metric: of an endpoint, or, without an address, of the pool."""

    name: str  # of the metric, without a prefix
    text: str  # what it is, in a sentence
    value: float
    address: str = ""
