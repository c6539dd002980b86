"""KV memory: blocks that requests share, and that stay cached until the room is needed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence


class BlockCache:
    """A fixed number of blocks. A block is held by requests, or free; a free one may be cached.

    A block becomes matchable when it is published under a key. Free blocks are taken in this
    order: those that hold nothing of use, then the least recently released.
    """

    def __init__(self, capacity: int) -> None:
        self._holders = [0] * capacity
        self._keys: list[int | None] = [None] * capacity
        self._published: dict[int, int] = {}
        self.evicted: Callable[[int], None] = lambda _: None  # told the key of a block that goes
        self._free = OrderedDict[int, None].fromkeys(range(capacity))

    def __repr__(self) -> str:
        return f"<BlockCache {self.held} of {self.capacity} held, {self.cached} cached>"

    @property
    def capacity(self) -> int:
        """How many blocks there are."""
        return len(self._holders)

    @property
    def held(self) -> int:
        """How many blocks requests hold."""
        return self.capacity - len(self._free)

    @property
    def cached(self) -> int:
        """How many blocks, held or free, can be matched."""
        return len(self._published)

    def match(self, keys: Sequence[int]) -> list[int]:
        """Return the blocks of the longest published prefix of `keys`."""
        found = []
        for key in keys:
            block = self._published.get(key)
            if block is None:
                break
            found.append(block)
        return found

    def allocate(self, fresh: int, shared: Sequence[int] = ()) -> list[int] | None:
        """Hold the `shared` blocks and `fresh` empty ones, all or nothing; return them all."""
        revived = sum(self._holders[block] == 0 for block in shared)
        if fresh + revived > len(self._free):
            return None
        for block in shared:
            self._free.pop(block, None)
            self._holders[block] += 1
        return [*shared, *(self._take() for _ in range(fresh))]

    def _take(self) -> int:
        block, _ = self._free.popitem(last=False)
        key = self._keys[block]
        if key is not None:
            del self._published[key]
            self._keys[block] = None
            self.evicted(key)
        self._holders[block] = 1
        return block

    def publish(self, block: int, key: int) -> bool:
        """Make a held block matchable, unless another already is under that key; tell which."""
        if self._keys[block] is not None or key in self._published:
            return False
        self._keys[block] = key
        self._published[key] = block
        return True

    def release(self, blocks: Sequence[int]) -> None:
        """Let go of a request's blocks, its tail first: heads are what others share."""
        for block in reversed(blocks):
            self._holders[block] -= 1
            if self._holders[block] == 0:
                self._free[block] = None
                if self._keys[block] is None:
                    self._free.move_to_end(block, last=False)
