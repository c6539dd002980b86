"""Which endpoint has probably cached which blocks."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice

from epp.scheduling.prefix.blocks import HASH_BITS
from epp.scheduling.prefix.cut import Cut
from epp.scheduling.prefix.depths import Depths

# A dict that outgrows its table copies all of it, for two million blocks in 150 ms, in which no
# request is answered. Of many small ones, each copies little.
_SHARDS = 256
_SHARD_SHIFT = HASH_BITS - 8  # by the highest bits, because a dict hashes by the lowest
_GAPS = 0.6  # of the entries in use; while gaps are fewer than half of them, a copy keeps them
_REMEMBERED_MASKS = 256


class _Slot:
    """One endpoint: its bit in the masks and its blocks with their sizes, longest unused first."""

    __slots__ = ("address", "bit", "blocks", "held", "written")

    def __init__(self, address: str, bit: int) -> None:
        self.address = address
        self.bit = bit
        self.blocks: dict[int, int] = {}
        self.held = 0  # the sizes of all blocks
        self.written = 0  # entries, since `blocks` was copied


class PrefixIndex:
    """For each block the endpoints that hold it, as a bit mask; for each endpoint an LRU list.

    An endpoint never holds a block without all that come before it in the prompt: `insert` makes
    earlier blocks younger than later ones, and the oldest go first, as they do in a model server.
    """

    def __init__(self, max_entries: int, cut: Cut) -> None:
        self._cut = cut
        self.max_entries = max_entries  # over all endpoints
        self._entries = 0
        self._holders: list[dict[int, int]] = [{} for _ in range(_SHARDS)]
        self._written = 0  # entries, since the last shard was copied
        self._next = 0  # shard to be copied
        self._slots: dict[str, _Slot] = {}
        self._addresses: list[str] = []  # by the number of the bit
        self._free: list[int] = []
        # By mask, as the same ones come again.
        self._remembered: dict[int, frozenset[str]] = {}

    def __len__(self) -> int:
        return self._entries

    def __repr__(self) -> str:
        return f"<PrefixIndex {self._entries} entries of {len(self._slots)} endpoints>"

    def blocks_of(self, address: str) -> int:
        """Return the number of blocks that the endpoint holds."""
        slot = self._slots.get(address)
        return len(slot.blocks) if slot else 0

    def match(self, hashes: Sequence[int]) -> Depths:
        """Return how many leading blocks each endpoint holds, without those that hold none.

        Who holds a block held all before it, so where two blocks have the same holders, so have all
        between them: the places where endpoints drop out are found by halving, the first ones
        first. Deeper holders overwrite what is written for a place where most stay: whoever has the
        instructions that all share is the same for all prompts, and its names are remembered.
        """
        matched = Depths()
        if not hashes:
            return matched
        holders = self._holders
        spans = [(0, holders[hashes[0] >> _SHARD_SHIFT].get(hashes[0], 0), len(hashes), 0)]
        while spans:
            low, at_low, high, at_high = spans.pop()
            if at_low == at_high:
                continue
            if high - low == 1:
                gone = at_low & ~at_high
                some = at_low if at_high.bit_count() < gone.bit_count() else gone
                if some & (some - 1):
                    matched.add(self._group(some), high)
                else:
                    matched.own[self._addresses[some.bit_length() - 1]] = high
                continue
            middle = (low + high) // 2
            block = hashes[middle]
            at_middle = holders[block >> _SHARD_SHIFT].get(block, 0)
            spans += ((middle, at_middle, high, at_high), (low, at_low, middle, at_middle))
        return matched

    def insert(self, address: str, hashes: Sequence[int], capacity: int) -> None:
        """Record that the endpoint now has these blocks, and at most `capacity` units of all."""
        slot = self._slots.get(address) or self._add(address)
        blocks, cut = slot.blocks, self._cut
        count = min(len(hashes), cut.count(capacity))
        known = 0
        if count and hashes[0] in blocks:
            known = bisect_left(range(count), True, key=lambda number: hashes[number] not in blocks)
        # Later blocks first, so that earlier ones are younger.
        bit, holders = slot.bit, self._holders
        for number in range(count - 1, known - 1, -1):
            block = hashes[number]
            blocks[block] = cut.size if number < cut.fine else cut.coarse
            shard = holders[block >> _SHARD_SHIFT]
            shard[block] = shard[block] | bit if block in shard else bit
        slot.held += cut.reach(count) - cut.reach(known)
        if known:
            again = hashes[:known][::-1]
            blocks.update(zip(again, [blocks.pop(block) for block in again], strict=True))
        self._entries += count - known
        self._evict(slot, _oldest(slot, slot.held - capacity))
        while self._entries > self.max_entries:
            fullest = max(self._slots.values(), key=lambda other: len(other.blocks))
            excess = self._entries - self.max_entries
            self._evict(fullest, list(islice(fullest.blocks, excess)))
        self._tidy(slot, count, count - known)

    def drop(self, address: str) -> None:
        """Forget an endpoint; its bit is used again."""
        slot = self._slots.pop(address, None)
        if slot is not None:
            self._evict(slot, list(slot.blocks))
            self._free.append(slot.bit.bit_length() - 1)

    def _add(self, address: str) -> _Slot:
        self._remembered.clear()  # a bit may change its owner
        if self._free:
            number = self._free.pop()
            self._addresses[number] = address
        else:
            number = len(self._addresses)
            self._addresses.append(address)
        slot = self._slots[address] = _Slot(address, 1 << number)
        return slot

    def _evict(self, slot: _Slot, victims: Sequence[int]) -> None:
        for block in victims:
            slot.held -= slot.blocks.pop(block)
            shard = self._holders[block >> _SHARD_SHIFT]
            left = shard[block] & ~slot.bit
            if left:
                shard[block] = left
            else:
                del shard[block]
        self._entries -= len(victims)

    def _tidy(self, slot: _Slot, written: int, new: int) -> None:
        """Copy dicts that have gaps before they grow, which would double the memory of the index.

        A dict never fills the gaps of what was taken out. When it is full it makes room for three
        times what is left in it.
        """
        slot.written += written
        if slot.written > _GAPS * len(slot.blocks):
            slot.blocks, slot.written = dict(slot.blocks), 0
        self._written += new
        if self._written > _GAPS * self._entries / _SHARDS:
            self._holders[self._next] = dict(self._holders[self._next])
            self._next, self._written = (self._next + 1) % _SHARDS, 0

    def _group(self, mask: int) -> frozenset[str]:
        """Return the addresses of the mask's endpoints."""
        known = self._remembered.get(mask)
        if known is None:
            if len(self._remembered) >= _REMEMBERED_MASKS:
                self._remembered.clear()
            known = self._remembered[mask] = frozenset(self._search(mask))
        return known

    def _search(self, mask: int) -> Iterator[str]:
        digits = f"{mask:b}"[::-1]  # the search for the next 1 runs in C
        number = digits.find("1")
        while number >= 0:
            yield self._addresses[number]
            number = digits.find("1", number + 1)


def _oldest(slot: _Slot, excess: int) -> list[int]:
    """Return the blocks that must go for the endpoint to hold `excess` units less."""
    victims: list[int] = []
    if excess > 0:
        for block, size in slot.blocks.items():
            victims.append(block)
            excess -= size
            if excess <= 0:
                break
    return victims
