"""What becomes of the KV cache, told as vLLM tells it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from epp.demo.sim.job import Job
from epp.demo.sim.tokens import TOKEN_BYTES


class KvEvents:
    """Collects events until they are taken; `news` is called when there are some."""

    def __init__(self, block_size: int, news: Callable[[], None] = lambda: None) -> None:
        self._block_size = block_size
        self._news = news
        self._events: list[dict[str, Any]] = []

    def __repr__(self) -> str:
        return f"<KvEvents {len(self._events)} untold>"

    def stored(self, job: Job, index: int) -> None:
        """Tell of block number `index` of a request."""
        size = self._block_size * TOKEN_BYTES
        extra = ([job.adapter] if job.adapter else []) + (
            [job.cache_salt] if job.cache_salt and not index else []
        )
        event = {
            "type": "BlockStored",
            "block_hashes": [job.keys[index]],
            "parent_block_hash": job.keys[index - 1] if index else None,
            "token_ids": token_ids(job.content[index * size : (index + 1) * size]),
            "block_size": self._block_size,
            "lora_id": None,
            "medium": "GPU",
            "lora_name": job.adapter or None,
            "extra_keys": [extra or None],
        }
        self._add(event)

    def removed(self, key: int) -> None:
        """Tell of a block that made room for another."""
        self._add({"type": "BlockRemoved", "block_hashes": [key], "medium": "GPU"})

    def take(self, now: float) -> bytes | None:
        """Return a message with all that is untold, None if that is nothing."""
        if not self._events:
            return None
        events, self._events = self._events, []
        return msgspec.msgpack.encode([now, events, 0])

    def _add(self, event: dict[str, Any]) -> None:
        self._events.append(event)
        self._news()


def token_ids(content: bytes | bytearray) -> list[int]:
    """Return the numbers of the tokens in `content`."""
    return [
        int.from_bytes(content[start : start + TOKEN_BYTES])
        for start in range(0, len(content), TOKEN_BYTES)
    ]
