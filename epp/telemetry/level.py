"""How much of the answers is read."""

from __future__ import annotations

import enum


class Level(enum.StrEnum):
    """From nothing to all. `SAMPLE`: all of one answer in so many, the headers of the others."""

    NONE = "none"
    HEADERS = "headers"
    SAMPLE = "sample"
    FULL = "full"


_SAMPLE = Level.SAMPLE  # faster than by the name of its class

NAMES = (*(level.value for level in Level), "true", "false")
_LEVELS = {level.value: level for level in Level} | {"true": Level.FULL, "false": Level.NONE}


def read_level(name: str) -> Level | None:
    """Return the level of that name; `true` is all and `false` nothing. None: there is none."""
    return _LEVELS.get(name)


class Sampler:
    """Says what is read of each answer in turn: of one in `every` all, of the others the headers.

    It counts and draws no lots, so that in a sequence the share is exact.
    """

    def __init__(self, level: Level, every: int) -> None:
        self._level = level
        self._every = every
        self._count = 0

    def __repr__(self) -> str:
        return f"<Sampler {self._level.value}>"

    def next(self) -> Level:
        """Return the level of the next answer; never `SAMPLE`."""
        if self._level is not _SAMPLE:
            return self._level
        full = self._count % self._every == 0
        self._count += 1
        return Level.FULL if full else Level.HEADERS
