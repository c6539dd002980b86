"""Which endpoint has which blocks, as the endpoints themselves tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from epp.scheduling.kv.events import GPU, Cleared, EngineHash, Event, Removed, Stored
from epp.scheduling.kv.keys import adapter_of, packed_hash, root_key, stored_keys
from epp.scheduling.prefix.blocks import HASH_BITS

# Many small dicts, because one that outgrows its table copies all of it at once.
_SHARDS = 256
_SHARD_SHIFT = HASH_BITS - 8

# Kinds of KV cache whose blocks are all there as long as the prompt is. None: an older engine.
_WHOLE = frozenset({None, "full_attention", "mla_attention"})


class _Cache:
    """What one endpoint has: its own hash of a block to ours."""

    __slots__ = ("aliases", "bit", "block_size", "copies", "group", "keys", "others")

    def __init__(self, bit: int) -> None:
        self.bit = bit
        self.keys: dict[EngineHash, int] = {}
        self.copies: dict[EngineHash, int] = {}  # of blocks that are there more than once
        self.aliases: dict[int, int] = {}  # keys for which the endpoint has several hashes
        self.block_size = 0
        self.group: int | None = None  # of layers: the first whose blocks are all kept
        self.others: set[int | None] = set()


class Applied:
    """Counts what became of events."""

    __slots__ = ("malformed", "orphans", "other_media", "removed", "stored")

    def __init__(self) -> None:
        self.stored = 0  # blocks
        self.removed = 0
        self.orphans = 0  # blocks whose parent nobody has told of
        self.other_media = 0  # events of other memory than the GPU's, or of other kinds of layers
        self.malformed = 0  # events


class KvIndex:
    """For each block the endpoints that hold it, as a bit mask.

    An endpoint that tells of more than fits under `max_blocks` (of all together) is forgotten as a
    whole: with holes in its chains it would look emptier than it is.
    """

    def __init__(self, max_blocks: int) -> None:
        self.seed = 0
        self.max_blocks = max_blocks
        self.adapters: set[str] = set()  # that any endpoint has told of
        self._blocks = 0
        self._holders: tuple[dict[int, int], ...] = tuple({} for _ in range(_SHARDS))
        self._caches: dict[str, _Cache] = {}
        self._addresses: list[str] = []  # by the number of the bit
        self._free: list[int] = []

    def __len__(self) -> int:
        return self._blocks

    def __repr__(self) -> str:
        return f"<KvIndex {self._blocks} blocks of {len(self._caches)} endpoints>"

    def root(self, model: str) -> int:
        """Return where the chain of a request starts that asks for `model`."""
        return root_key(self.seed, model if model in self.adapters else "")

    def blocks_of(self, address: str) -> int:
        """Return how many blocks an endpoint has told of."""
        cache = self._caches.get(address)
        return len(cache.keys) if cache else 0

    def block_size(self, address: str) -> int:
        """Return the tokens in an endpoint's blocks; 0: it has not told of any yet."""
        cache = self._caches.get(address)
        return cache.block_size if cache else 0

    def holds(self, address: str, key: int) -> bool:
        """Tell whether an endpoint has a block."""
        cache = self._caches.get(address)
        return cache is not None and bool(self._shard(key).get(key, 0) & cache.bit)

    def match(self, addresses: Iterable[str], runs: Iterable[Sequence[int]]) -> dict[str, int]:
        """Return how many leading blocks of a chain each of the endpoints has, if any.

        No more of `runs` is taken than somebody has.
        """
        mask = 0
        for address in addresses:
            if (cache := self._caches.get(address)) is not None:
                mask |= cache.bit
        matched: dict[str, int] = {}
        holders, depth = self._holders, 0
        for run in runs if mask else ():
            for key in run:
                held = holders[key >> _SHARD_SHIFT].get(key, 0) & mask
                if held != mask:
                    if depth:
                        matched.update(dict.fromkeys(self._named(mask & ~held), depth))
                    if not held:
                        return matched
                    mask = held
                depth += 1
        if depth:
            matched.update(dict.fromkeys(self._named(mask), depth))
        return matched

    def apply(self, address: str, events: Iterable[Event], applied: Applied) -> bool:
        """Take over what an endpoint tells; False: it does not fit, the endpoint is forgotten."""
        cache = self._caches.get(address) or self._add(address)
        for event in events:
            if isinstance(event, Stored):
                self._store(cache, event, applied)
            elif isinstance(event, Removed):
                self._remove(cache, event, applied)
            elif isinstance(event, Cleared):
                self._empty(cache)
        if self._blocks > self.max_blocks:
            self.forget(address)
            return False
        return True

    def clear(self, address: str) -> None:
        """Take an endpoint's cache for empty."""
        if (cache := self._caches.get(address)) is not None:
            self._empty(cache)

    def forget(self, address: str) -> None:
        """Drop an endpoint; its bit is used again."""
        if (cache := self._caches.pop(address, None)) is not None:
            self._empty(cache)
            self._free.append(cache.bit.bit_length() - 1)

    def _store(self, cache: _Cache, event: Stored, applied: Applied) -> None:
        if not self._counts(cache, event):
            applied.other_media += 1
            return
        adapter = adapter_of(event)
        if event.parent_block_hash is None:
            previous: int | None = root_key(self.seed, adapter)
        else:
            previous = cache.keys.get(packed_hash(event.parent_block_hash))
        if previous is None:
            applied.orphans += len(event.block_hashes)
            return
        keys = stored_keys(event, previous, adapter)
        if keys is None or cache.block_size not in {0, event.block_size}:
            applied.malformed += 1
            return
        cache.block_size = event.block_size
        if adapter:
            self.adapters.add(adapter)
        applied.stored += len(keys)
        for engine_hash, key in zip(event.block_hashes, keys, strict=True):
            self._hold(cache, packed_hash(engine_hash), key)

    def _counts(self, cache: _Cache, event: Stored) -> bool:
        """Tell whether an event is about blocks that a prompt's prefill can do without.

        Hybrid models have layers of several kinds, each with blocks of its own; the blocks of
        one that keeps them all stand for the prompt.
        """
        if (event.medium or GPU) != GPU:
            return False
        group = event.group_idx
        if event.kv_cache_spec_kind not in _WHOLE:
            cache.others.add(group)
        elif cache.group is None and group not in cache.others:
            cache.group = group
        elif group != cache.group:
            cache.others.add(group)
        return group not in cache.others

    def _hold(self, cache: _Cache, engine_hash: EngineHash, key: int) -> None:
        if engine_hash in cache.keys:
            cache.copies[engine_hash] = cache.copies.get(engine_hash, 1) + 1
            return
        cache.keys[engine_hash] = key
        shard = self._shard(key)
        held = shard.get(key, 0)
        if held & cache.bit:
            cache.aliases[key] = cache.aliases.get(key, 1) + 1
        else:
            shard[key] = held | cache.bit if held else cache.bit  # one int object for most
        self._blocks += 1

    def _remove(self, cache: _Cache, event: Removed, applied: Applied) -> None:
        if (event.medium or GPU) != GPU or event.group_idx in cache.others:
            applied.other_media += 1
            return
        for name in event.block_hashes:
            engine_hash = packed_hash(name)
            if (copies := cache.copies.pop(engine_hash, 1)) > 1:
                if copies > 2:
                    cache.copies[engine_hash] = copies - 1
            elif (key := cache.keys.pop(engine_hash, None)) is not None:
                applied.removed += 1
                self._let_go(cache, key)

    def _empty(self, cache: _Cache) -> None:
        for key in cache.keys.values():
            self._let_go(cache, key)
        cache.keys, cache.copies, cache.aliases = {}, {}, {}
        cache.block_size, cache.group = 0, None  # another life may have others
        cache.others = set()

    def _let_go(self, cache: _Cache, key: int) -> None:
        self._blocks -= 1
        if (aliases := cache.aliases.pop(key, 1)) > 1:
            if aliases > 2:
                cache.aliases[key] = aliases - 1
            return
        shard = self._shard(key)
        left = shard[key] & ~cache.bit
        if left:
            shard[key] = left
        else:
            del shard[key]

    def _shard(self, key: int) -> dict[int, int]:
        return self._holders[key >> _SHARD_SHIFT]

    def _add(self, address: str) -> _Cache:
        if self._free:
            number = self._free.pop()
            self._addresses[number] = address
        else:
            number = len(self._addresses)
            self._addresses.append(address)
        cache = self._caches[address] = _Cache(1 << number)
        return cache

    def _named(self, mask: int) -> Iterator[str]:
        while mask:
            lowest = mask & -mask
            yield self._addresses[lowest.bit_length() - 1]
            mask ^= lowest
