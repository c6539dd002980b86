"""A prompt as a chain of hashes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from struct import Struct

from xxhash import xxh3_64_intdigest

from epp.scheduling.prefix.cut import Cut

HASH_BITS = (
    60  # an int of Python's has 30 bits a digit; four bits more would cost half as much again
)
_DROPPED_BITS = 64 - HASH_BITS
_RUN = 16  # blocks that are looked up as one; divides the number of fine blocks
_REMEMBERED = 2048  # runs


class BlockHasher:
    """Hashes prompts, and knows again what many of them begin with.

    A hash is the seed of the next one, so it stands for all of the prompt up to its block's end. A
    later turn of a conversation, or another one with the same instructions, finds the hashes of the
    part that is known by one hash for each 16 blocks.
    """

    def __init__(self, cut: Cut, max_bytes: int, max_blocks: int) -> None:
        self.cut = cut
        self._max_bytes = max_bytes
        self._max_blocks = max_blocks
        # Cuts a run in less time than one slice after the other.
        self._cutters = {size: Struct(f"{size}s" * _RUN) for size in (cut.size, cut.coarse)}
        self._young: dict[int, tuple[int, ...]] = {}
        self._old: dict[int, tuple[int, ...]] = {}

    def __repr__(self) -> str:
        return f"<BlockHasher {len(self._young) + len(self._old)} runs known>"

    def hashes(self, prompt: str, root: int) -> tuple[list[int], float]:
        """Return one hash for each whole block of the prompt's UTF-8, and its length in bytes.

        The length is estimated where the prompt is longer than what is looked at.
        """
        begin = prompt[: self._max_bytes]
        data = begin.encode("utf-8", "surrogatepass")
        length = len(data) * len(prompt) / len(begin) if begin else 0.0
        count = min(self._max_blocks, self.cut.count(min(len(data), self._max_bytes)))
        hashes: list[int] = []
        for run in self.runs(data, count, root):
            hashes += run
        return hashes, length

    def runs(self, data: bytes, count: int, root: int) -> Iterator[Sequence[int]]:
        """Yield the hashes of the first `count` blocks of `data`, some at a time."""
        number, previous, start, view = 0, root, 0, memoryview(data)
        while number < count:
            blocks, size = min(_RUN, count - number), self.cut.size_at(number)
            end = start + blocks * size
            run: Sequence[int]
            if blocks == _RUN:
                run = self._run(view[start:end], size, previous)
            else:
                run = chain(data[start:end], size, previous)
            yield run
            number, previous, start = number + blocks, run[-1], end

    def _run(self, data: memoryview, size: int, previous: int) -> tuple[int, ...]:
        key = xxh3_64_intdigest(data, previous)
        known = self._young.get(key) or self._old.get(key)
        if known is None:
            known = tuple(_link(self._cutters[size].unpack(data), previous))
        elif key in self._young:
            return known
        if len(self._young) >= _REMEMBERED // 2:
            self._young, self._old = {}, self._young
        self._young[key] = known
        return known


def root_hash(seed: int, *parts: str) -> int:
    """Return the hash that a chain starts from.

    Prompts share blocks only if all `parts` are equal. With a secret seed, nobody can find out by
    timing which prompts others have sent with another `cache_salt`.
    """
    framed = "".join([f"{len(part)}:{part}" for part in parts])
    return xxh3_64_intdigest(framed.encode("utf-8", "surrogatepass"), seed)


def chain(data: bytes, size: int, previous: int) -> list[int]:
    """Return one hash for each block of `size` bytes; `previous` is that of the block before."""
    starts = range(0, len(data), size)
    return _link([data[start : start + size] for start in starts], previous)


def _link(blocks: Iterable[bytes], previous: int) -> list[int]:
    return [previous := xxh3_64_intdigest(block, previous) >> _DROPPED_BITS for block in blocks]
