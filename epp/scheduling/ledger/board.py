"""Where all endpoints stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import TypeVar

from epp.pool.endpoint import Endpoint
from epp.scheduling.ledger.standing import Rates, Standing

T = TypeVar("T")


class Board:
    """The standings of all endpoints and their rates, in one order.

    Each choice takes a copy: two lists, which is a fifth of what dicts by address cost. Whoever
    asks for all of them in the order that the board has gets a list without looking any of them up.
    """

    __slots__ = (
        "_addresses",
        "_covering",
        "_known",
        "_known_addresses",
        "_least_room",
        "_least_room_known",
        "_places",
        "_rates",
        "_standings",
        "unsorted",
    )

    def __init__(self) -> None:
        self._addresses: list[str] = []  # shared with the copies, as `_places` is: it only grows
        self._places: dict[str, int] = {}
        self._covering: list[frozenset[str]] = []  # the group that was found to be all, shared too
        self._standings: list[Standing] = []
        self._rates: list[Rates] = []
        self._least_room = inf
        self._least_room_known = True  # else it may be more by now
        self._known: Sequence[Endpoint] = ()
        self._known_addresses: list[str] = []
        self.unsorted = False  # an endpoint joined

    def __repr__(self) -> str:
        return f"<Board of {len(self)} endpoints>"

    def __len__(self) -> int:
        return len(self._standings)

    def put(self, address: str, standing: Standing) -> None:
        """Enter the standing of an endpoint; a new one comes last."""
        place = self._places.get(address)
        if standing.room <= self._least_room:
            self._least_room, self._least_room_known = standing.room, True
        elif place is not None and self._standings[place].room <= self._least_room:
            self._least_room_known = False
        if place is None:
            self._covering = []
            self._places[address] = len(self._addresses)
            self._addresses.append(address)
            self._standings.append(standing)
            self._rates.append(standing.rates())
            self.unsorted = True
        else:
            self._standings[place] = standing
            self._rates[place] = standing.rates()

    def meet(self, endpoints: Sequence[Endpoint]) -> None:
        """Read the addresses of a pool, which the next choices probably ask for again."""
        if endpoints is not self._known and isinstance(endpoints, tuple):  # that no one changes
            self._known, self._known_addresses = endpoints, [e.address for e in endpoints]

    def addresses_of(self, endpoints: Sequence[Endpoint]) -> list[str]:
        """Return the addresses of these endpoints, which nobody may change."""
        if endpoints is self._known:
            return self._known_addresses
        return [endpoint.address for endpoint in endpoints]

    def short_of(self, tokens: float) -> bool:
        """Whether some endpoint has no room for so many tokens."""
        if tokens > self._least_room and not self._least_room_known:
            self._least_room = min([one.room for one in self._standings], default=inf)
            self._least_room_known = True
        return tokens > self._least_room

    def drop(self, address: str) -> None:
        """Take an endpoint out."""
        self._arrange([known for known in self._addresses if known != address])

    def sort(self, addresses: Sequence[str]) -> None:
        """Take over the order of `addresses`; other endpoints come after them."""
        first = [address for address in addresses if address in self._places]
        named = set(first)
        self._arrange([*first, *(known for known in self._addresses if known not in named)])
        self.unsorted = False

    def copy(self) -> Board:
        """Return the board as it is now."""
        found = Board()
        found._addresses, found._places = self._addresses, self._places
        found._covering = self._covering
        found._standings, found._rates = self._standings.copy(), self._rates.copy()
        found._known, found._known_addresses = self._known, self._known_addresses
        found._least_room = self._least_room
        found._least_room_known = self._least_room_known
        return found

    def at(self, address: str) -> Standing | None:
        """Return the standing of one endpoint, if it is known."""
        place = self._places.get(address, -1)
        return self._standings[place] if 0 <= place < len(self._standings) else None

    def places_of(self, addresses: Sequence[str]) -> Mapping[str, int] | None:
        """Return where each of these comes, if they are all that there are, in the same order."""
        # The strings are the same objects, mostly: comparing 512 takes 1 us, looking them up 20.
        if len(self._rates) == len(self._addresses) and addresses == self._addresses:
            return self._places
        return None

    def is_all(self, group: frozenset[str]) -> bool:
        """Whether every endpoint is of the group; the same one is asked about again and again."""
        if group in self._covering:
            return True
        if len(group) < len(self._addresses) or not group.issuperset(self._addresses):
            return False
        self._covering[:] = [group]
        return True

    def rates(self, addresses: Sequence[str], unknown: Rates) -> Sequence[Rates]:
        """Return the rates of these endpoints; `unknown` are those of one that is not known."""
        return self._in_order(self._rates, addresses, unknown)

    def standings(self, addresses: Sequence[str], unknown: Standing) -> Sequence[Standing]:
        """Return the standings of these endpoints; `unknown` is that of one that is not known."""
        return self._in_order(self._standings, addresses, unknown)

    def _in_order(self, found: list[T], addresses: Sequence[str], unknown: T) -> Sequence[T]:
        if self.places_of(addresses) is not None:
            return found
        places, count = map(self._places.get, addresses), len(found)
        return [unknown if p is None or p >= count else found[p] for p in places]

    def _arrange(self, addresses: list[str]) -> None:
        self._least_room_known = False
        places = [self._places[address] for address in addresses]
        self._covering = []
        self._addresses = addresses
        self._places = {address: place for place, address in enumerate(addresses)}
        self._standings = [self._standings[place] for place in places]
        self._rates = [self._rates[place] for place in places]
