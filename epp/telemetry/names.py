"""Which names get a label value of their own."""

from __future__ import annotations

from collections.abc import Iterable

OTHER = "other"


class Names:
    """A bounded set of label values; every other name is called `other`.

    Clients choose some of the names, so a table that takes whoever comes first could be filled with
    inventions before the real ones arrive. Known names are always in; of the rest, only those that
    the caller vouches for, and no more than `quota` of them.
    """

    def __init__(self, known: Iterable[str] = (), quota: int = 200) -> None:
        self._known = set(known)
        self._admitted: set[str] = set()
        self._quota = quota

    def __repr__(self) -> str:
        return f"<Names {len(self._known)} known, {len(self._admitted)} of {self._quota} admitted>"

    def know(self, names: Iterable[str]) -> None:
        """Add names that the configuration or the pool gives."""
        self._known.update(names)

    def label(self, name: str, *, admit: bool = False) -> str:
        """Return `name` or `other`; with `admit`, a new name may use up some of the quota."""
        if name in self._known or name in self._admitted:
            return name
        if admit and len(self._admitted) < self._quota:
            self._admitted.add(name)
            return name
        return OTHER
