"""The producers of a scheduler."""

from __future__ import annotations

from collections.abc import Mapping

from epp.scheduling.plugin import Hearing, Marking, Producer


class Roll:
    """All by name, and those of them that are asked for more than a fact: found once, not at each
    request.
    """

    __slots__ = ("all", "hearing", "marking")

    def __init__(self, producers: Mapping[str, Producer]) -> None:
        self.all = dict(producers)
        self.hearing: dict[str, Hearing] = {
            name: one for name, one in producers.items() if isinstance(one, Hearing)
        }
        self.marking = tuple(one for one in producers.values() if isinstance(one, Marking))

    def __repr__(self) -> str:
        return f"<Roll {', '.join(self.all)}>"
