"""What is asked of the scheduler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Query(msgspec.Struct, frozen=True, eq=False):
    """One request, as far as it matters for choosing an endpoint.

    `facts` is what the producers found out for this request: producer name to value.
    """

    model: str = ""
    prompt: str = ""
    cache_salt: str = ""
    headers: Mapping[str, str] = {}  # as received, keys in lower case
    now: float = 0.0  # monotonic seconds
    max_load_age_s: float = 2.0  # an older reading of a server's metrics counts as none
    facts: Mapping[str, object] = {}

    def fact(self, producer: str, kind: type[T]) -> T:
        """Return what `producer` found; a missing or other kind of fact is a wiring bug."""
        found = self.facts.get(producer)
        if not isinstance(found, kind):
            raise TypeError(
                f"producer {producer!r} gave {type(found).__name__}, not {kind.__name__}"
            )
        return found
