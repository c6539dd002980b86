"""What is asked of the scheduler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from epp.scheduling.tokens import Tokens

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
    max_tokens: int | None = None  # the limit of the answer; None: the request gives none
    priority: int = 0  # negative: may be shed first
    stream: bool = False  # the answer comes token by token: its first byte is its first token
    tokens: Tokens | None = None  # of the prompt; None: not known
    facts: Mapping[str, object] = {}

    def settled(self) -> Query:
        """Return what is worth keeping while the answer comes, which may take minutes."""
        return Query(
            self.model,
            cache_salt=self.cache_salt,
            now=self.now,
            max_load_age_s=self.max_load_age_s,
            max_tokens=self.max_tokens,
            priority=self.priority,
            stream=self.stream,
        )

    def fact(self, producer: str, kind: type[T]) -> T:
        """Return what `producer` found; a missing or other kind of fact is a wiring bug."""
        found = self.facts.get(producer)
        if not isinstance(found, kind):
            raise TypeError(
                f"producer {producer!r} gave {type(found).__name__}, not {kind.__name__}"
            )
        return found
