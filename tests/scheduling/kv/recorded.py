"""What a real vLLM published, and messages like it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from epp.scheduling.kv.events import Batch, decode
from epp.scheduling.tokens import Tokens, pack

_FILE = Path(__file__).parents[2] / "data/vllm-0.32.0/kv-events.jsonl"


class Message(msgspec.Struct, frozen=True):
    """One message as it was on the wire, and what another program made of its payload."""

    topic: str
    seq: str
    payload_hex: str
    decoded: tuple[float, list[dict[str, Any]], int]

    @property
    def number(self) -> int:
        return int(self.seq, 16)

    @property
    def frames(self) -> list[bytes]:
        return [self.topic.encode(), bytes.fromhex(self.seq), bytes.fromhex(self.payload_hex)]

    @property
    def batch(self) -> Batch:
        batch = decode(bytes.fromhex(self.payload_hex))
        assert batch is not None
        return batch


def messages() -> list[Message]:
    """Return all messages, in order."""
    return [msgspec.json.decode(line, type=Message) for line in _FILE.read_bytes().splitlines()]


def prompts() -> list[list[int]]:
    """Return the token ids of every chain of blocks that was stored, up to each chain's end."""
    chains: dict[int | None, list[int]] = {None: []}
    parents = set()
    for message in messages():
        for event in message.decoded[1]:
            parent = event["parent_block_hash"]
            parents.add(parent)
            chains[event["block_hashes"][-1]] = chains[parent] + event["token_ids"]
    return [ids for end, ids in chains.items() if end not in parents]


def tokens(ids: Sequence[int], share: float = 1.0) -> Tokens:
    """Return token ids as a query has them."""
    return Tokens(pack(ids), share)


def stored(
    hashes: Sequence[int | bytes],
    ids: Sequence[int],
    parent: int | bytes | None = None,
    size: int = 4,
    **rest: Any,
) -> dict[str, Any]:
    """Return an event as the servers of today write it."""
    return {
        "type": "BlockStored",
        "block_hashes": list(hashes),
        "parent_block_hash": parent,
        "token_ids": list(ids),
        "block_size": size,
        **rest,
    }


def removed(*hashes: int | bytes, **rest: Any) -> dict[str, Any]:
    """Return an event as the servers of today write it."""
    return {"type": "BlockRemoved", "block_hashes": list(hashes), **rest}


CLEARED = {"type": "AllBlocksCleared"}


def payload(*events: Any, ts: float = 1.0) -> bytes:
    """Return a message with these events."""
    return msgspec.msgpack.encode([ts, list(events), 0])


def batch(*events: Any, ts: float = 1.0) -> Batch:
    """Return a message with these events, decoded."""
    found = decode(payload(*events, ts=ts))
    assert found is not None
    return found
