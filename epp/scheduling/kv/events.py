"""What a model server tells of its KV cache: one message of vLLM's event publisher."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

EngineHash: TypeAlias = int | bytes

GPU = "GPU"
_MAP = frozenset({*range(0x80, 0x90), 0xDE, 0xDF})  # first bytes of msgpack's maps


class Stored(msgspec.Struct, tag="BlockStored", gc=False):
    """Blocks that follow each other, and `parent_block_hash` before them, are in the cache now.

    `extra_keys` has for each block what makes it another one though its tokens are the same.
    """

    block_hashes: list[EngineHash]
    parent_block_hash: EngineHash | None
    token_ids: list[int]
    block_size: int
    lora_id: int | None = None
    medium: str | None = None  # None: of a version that knows only the GPU's
    lora_name: str | None = None
    extra_keys: list[Any] | None = None
    group_idx: int | None = None
    kv_cache_spec_kind: str | None = None


class Removed(msgspec.Struct, tag="BlockRemoved", gc=False):
    """Blocks are in the cache no longer."""

    block_hashes: list[EngineHash]
    medium: str | None = None
    group_idx: int | None = None


class Cleared(msgspec.Struct, tag="AllBlocksCleared", gc=False):
    """The cache is empty."""


class _StoredRow(Stored, tag="BlockStored", array_like=True):
    """The same as an array, as earlier versions write it."""


class _RemovedRow(Removed, tag="BlockRemoved", array_like=True):
    """The same as an array."""


class _ClearedRow(Cleared, tag="AllBlocksCleared", array_like=True):
    """The same as an array."""


class _Envelope(msgspec.Struct):
    ts: float
    events: list[msgspec.Raw]
    data_parallel_rank: int | None = None


class _EnvelopeRow(_Envelope, array_like=True):
    pass


Event: TypeAlias = Stored | Removed | Cleared

_maps = msgspec.msgpack.Decoder(Stored | Removed | Cleared)
_rows = msgspec.msgpack.Decoder(_StoredRow | _RemovedRow | _ClearedRow)
_envelopes = msgspec.msgpack.Decoder(_Envelope)
_envelope_rows = msgspec.msgpack.Decoder(_EnvelopeRow)
_anything = msgspec.msgpack.Decoder()

# Text that is not UTF-8, keys of a map that cannot be such, and depth have errors of their own.
_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError)
_KNOWN = ("BlockStored", "BlockRemoved", "AllBlocksCleared")


class Batch(msgspec.Struct, frozen=True):
    """One message: events in their order, and what of it could not be used."""

    ts: float  # seconds of the server's own clock
    events: tuple[Event, ...] = ()
    unknown: tuple[str, ...] = ()  # types of events that later versions may have
    malformed: int = 0  # events of a known type that are not as they must be
    rank: int = 0  # of servers that share an address, the one that tells


def decode(payload: bytes) -> Batch | None:
    """Return what a message says; None if it is none.

    Fields that are new are ignored, and both ways of writing, maps and arrays, are understood.
    """
    envelopes = _envelopes if payload[:1] and payload[0] in _MAP else _envelope_rows
    try:
        envelope = envelopes.decode(payload)
    except _ERRORS:
        return None
    events: list[Event] = []
    unknown: list[str] = []
    malformed = 0
    for raw in envelope.events:
        event = _event(raw)
        if event is None:
            malformed += 1
        elif isinstance(event, str):
            unknown.append(event)
        else:
            events.append(event)
    return Batch(
        envelope.ts, tuple(events), tuple(unknown), malformed, envelope.data_parallel_rank or 0
    )


def _event(raw: msgspec.Raw) -> Event | str | None:
    view = memoryview(raw)
    decoder: msgspec.msgpack.Decoder[Any] = _maps if view[0] in _MAP else _rows
    try:
        event: Event = decoder.decode(view)
    except _ERRORS:
        return _unknown(view)
    return event


def _unknown(view: memoryview) -> str | None:
    try:
        found = _anything.decode(view)
    except _ERRORS:
        return None
    tag = found.get("type") if isinstance(found, dict) else _first(found)
    return tag if isinstance(tag, str) and tag not in _KNOWN else None


def _first(found: object) -> object:
    return found[0] if isinstance(found, list) and found else None
