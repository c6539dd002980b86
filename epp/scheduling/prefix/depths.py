"""How many leading blocks of a prompt each endpoint has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar, overload

D = TypeVar("D")


class Depths(Mapping[str, int]):
    """The number of blocks by address, without those that have none.

    Where all prompts begin alike, most endpoints have that beginning and no more. They are kept as
    one group, so that nobody has to write down, or to look at, each of hundreds.
    """

    __slots__ = ("common", "depth", "own")

    def __init__(self) -> None:
        self.common: frozenset[str] = frozenset()
        self.depth = 0  # of all in `common`, but for those whom `own` has too
        self.own: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"<Depths {dict(self)}>"

    def add(self, group: frozenset[str], depth: int) -> None:
        """Enter a group; it takes the place of what was entered for its endpoints before."""
        if self.common:
            self.own.update(dict.fromkeys(group, depth))
        else:
            self.common, self.depth = group, depth

    def of(self, addresses: Iterable[str]) -> list[int]:
        """Return the blocks of each of these endpoints, 0 where there are none."""
        common, depth, own = self.common, self.depth, self.own
        return [own.get(a, depth if a in common else 0) for a in addresses]

    def __bool__(self) -> bool:
        return bool(self.common or self.own)

    def __len__(self) -> int:
        return len(self.common) + sum(address not in self.common for address in self.own)

    def __iter__(self) -> Iterator[str]:
        yield from self.common
        yield from (address for address in self.own if address not in self.common)

    def __contains__(self, address: object) -> bool:
        return address in self.own or address in self.common

    def __getitem__(self, address: str) -> int:
        if address in self.own:
            return self.own[address]
        if address in self.common:
            return self.depth
        raise KeyError(address)

    @overload
    def get(self, address: str, /) -> int | None: ...
    @overload
    def get(self, address: str, /, default: int | D) -> int | D: ...
    def get(self, address: str, /, default: int | D | None = None) -> int | D | None:
        """Return the number of blocks of an endpoint, or `default` if it has none."""
        found = self.own.get(address)
        if found is not None:
            return found
        return self.depth if address in self.common else default
