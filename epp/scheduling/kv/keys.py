"""The picker's own names for blocks: the engines' differ from process to process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from epp.scheduling.kv.events import EngineHash, Stored
from epp.scheduling.prefix.blocks import chain, root_hash
from epp.scheduling.tokens import TOKEN_BYTES, pack


def root_key(seed: int, adapter: str) -> int:
    """Return the key that a chain starts from: another LoRA adapter makes other blocks."""
    return root_hash(seed, "kv", adapter)


def salted(key: int, extra: Sequence[Any]) -> int:
    """Return where a block's key starts that follows `key` and has something of its own.

    That is a cache salt, or the sum of an image; the text of each must tell it from others.
    """
    return root_hash(key, *[repr(one) for one in extra])


def stored_keys(event: Stored, previous: int, adapter: str) -> list[int] | None:
    """Return the key of each block of `event`; None if it contradicts itself.

    `previous` is the key of the block before, or the adapter's root.
    """
    count, size = len(event.block_hashes), event.block_size * TOKEN_BYTES
    try:
        data = pack(event.token_ids)
    except OverflowError:
        return None
    if size <= 0 or len(data) != count * size:
        return None
    extras = _extras(event.extra_keys, count, adapter)
    if extras is None:
        return chain(data, size, previous)
    keys = []
    for number, extra in enumerate(extras):
        start = salted(previous, extra) if extra else previous
        previous = chain(data[number * size : (number + 1) * size], size, start)[0]
        keys.append(previous)
    return keys


def adapter_of(event: Stored) -> str:
    """Return the name of the LoRA adapter; older engines only number them."""
    if event.lora_name:
        return event.lora_name
    return "" if event.lora_id is None else f"#{event.lora_id}"


def packed_hash(engine_hash: EngineHash) -> EngineHash:
    """Return an engine's name of a block in little memory: 8 of its bytes tell it from others."""
    if isinstance(engine_hash, bytes):
        return int.from_bytes(engine_hash[-8:], "big")
    return engine_hash


def _extras(given: list[Any] | None, count: int, adapter: str) -> list[list[Any]] | None:
    """Return what each block has of its own, without the adapter; None: none has anything."""
    if given is None or len(given) != count:
        return None
    extras = [
        [one for one in extra if one != adapter] if isinstance(extra, list) else []
        for extra in given
    ]
    return extras if any(extras) else None
