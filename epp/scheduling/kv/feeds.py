"""The events of all endpoints, and what they amount to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.kv.feed import Feed, Phase
from epp.scheduling.kv.index import KvIndex
from epp.scheduling.kv.keys import salted
from epp.scheduling.prefix.blocks import BlockHasher
from epp.scheduling.prefix.cut import Cut
from epp.scheduling.tokens import TOKEN_BYTES, Tokens

_UNLIMITED = 1 << 62


class Known(msgspec.Struct, frozen=True):
    """What the endpoints told of one prompt, in tokens."""

    live: frozenset[str] = frozenset()  # endpoints of which all is known
    matched: dict[str, int] = {}  # of these, and of those of which a part is known
    whole: frozenset[str] = frozenset()  # endpoints that have all of its blocks
    first_keys: dict[str, int] = {}  # the key of the first block, by endpoint


class Feeds:
    """Feeds by endpoint, over one index."""

    def __init__(self, max_blocks: int) -> None:
        self.index = KvIndex(max_blocks)
        self._feeds: dict[str, Feed] = {}
        self._hashers: dict[int, BlockHasher] = {}  # by the size of a block

    def __repr__(self) -> str:
        live = sum(feed.phase() is Phase.LIVE for feed in self._feeds.values())
        return f"<Feeds {live} of {len(self._feeds)} live, {self.index!r}>"

    def of(self, address: str) -> Feed:
        """Return the feed of an endpoint, a new one at first."""
        feed = self._feeds.get(address)
        if feed is None:
            feed = self._feeds[address] = Feed(address, self.index)
        return feed

    def all(self) -> list[Feed]:
        """Return every feed."""
        return list(self._feeds.values())

    def forget(self, address: str) -> None:
        """Drop an endpoint that left the pool."""
        self._feeds.pop(address, None)
        self.index.forget(address)

    def known(self, tokens: Tokens, model: str, salt: str, endpoints: Iterable[Endpoint]) -> Known:
        """Look a prompt up at those endpoints whose events can be believed."""
        live, by_size = self._believed(endpoints)
        root = self.index.root(model)
        if salt:
            root = salted(root, [salt])
        matched: dict[str, int] = {}
        first_keys: dict[str, int] = {}
        whole: list[str] = []
        for size, addresses in by_size.items():
            hasher = self._hasher(size)
            count = len(tokens) // size
            for address, blocks in self.index.match(
                addresses, hasher.runs(tokens.data, count, root)
            ).items():
                matched[address] = blocks * size
                if blocks == count:
                    whole.append(address)
            first = next(iter(hasher.runs(tokens.data, min(1, count), root)), None)
            if first is not None:
                first_keys.update(dict.fromkeys(addresses, first[0]))
        return Known(frozenset(live), matched, frozenset(whole), first_keys)

    def _believed(
        self, endpoints: Iterable[Endpoint]
    ) -> tuple[list[str], dict[int, Sequence[str]]]:
        live: list[str] = []
        by_size: dict[int, list[str]] = {}
        for endpoint in endpoints:
            address = endpoint.address
            feed = self._feeds.get(address)
            if feed is None:
                continue
            load = endpoint.load  # however old: the size of a cache does not change
            phase = feed.phase(load.blocks if load else None)
            if phase is Phase.LIVE:
                live.append(address)
            elif phase is not Phase.PARTIAL:
                continue
            if size := self.index.block_size(address):
                by_size.setdefault(size, []).append(address)
        return live, dict(by_size)

    def _hasher(self, size: int) -> BlockHasher:
        hasher = self._hashers.get(size)
        if hasher is None:
            if len(self._hashers) > 8:  # nobody has so many sizes: somebody makes them up
                self._hashers.clear()
            cut = Cut(size * TOKEN_BYTES, fine=_UNLIMITED)
            hasher = self._hashers[size] = BlockHasher(cut, _UNLIMITED, _UNLIMITED)
        return hasher
