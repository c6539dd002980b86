from __future__ import annotations

from typing import Any

import msgspec

from epp.demo.sim.engine import Engine, Limits
from epp.demo.sim.job import Job
from epp.demo.sim.kv_events import KvEvents, token_ids
from epp.demo.sim.tokens import TOKEN_BYTES


def served(engine: Engine, content: bytes, **rest: Any) -> None:
    job = Job(bytearray(content), 1, 1, 0.0, **rest)
    engine.submit(job)
    while engine.start(0.0) is not None:
        engine.finish()


def engine(events: KvEvents, blocks: int = 8) -> Engine:
    made = Engine(Limits(blocks, block_size=2))
    made.stored, made.blocks.evicted = events.stored, events.removed
    return made


def told(events: KvEvents) -> list[dict[str, object]]:
    message = events.take(5.0)
    if message is None:
        return []
    at, found, rank = msgspec.msgpack.decode(message)
    assert (at, rank) == (5.0, 0)
    return list(found)


def test_each_block_is_told_once_with_its_tokens_and_its_parent() -> None:
    news: list[int] = []
    events = KvEvents(2, lambda: news.append(1))
    sim = engine(events)
    content = bytes(range(16))
    served(sim, content)
    first, second = told(events)
    assert first["token_ids"] == token_ids(content[:8])
    assert first["parent_block_hash"] is None
    assert second["parent_block_hash"] == first["block_hashes"][0]  # type: ignore[index]
    assert len(news) == 2
    served(sim, content)
    assert told(events) == []


def test_a_block_that_makes_room_is_told() -> None:
    events = KvEvents(2)
    sim = engine(events, blocks=3)
    served(sim, b"a" * 4 * TOKEN_BYTES)
    stored = {event["block_hashes"][0] for event in told(events)}  # type: ignore[index]
    served(sim, b"b" * 4 * TOKEN_BYTES)
    gone = [e for e in told(events) if e["type"] == "BlockRemoved"]
    assert gone
    assert all(event["block_hashes"][0] in stored for event in gone)  # type: ignore[index]


def test_salt_and_adapter_are_told() -> None:
    events = KvEvents(2)
    served(engine(events), b"a" * 4 * TOKEN_BYTES, adapter="sql", cache_salt="tenant")
    first, second = told(events)
    assert first["lora_name"] == "sql"
    assert first["extra_keys"] == [["sql", "tenant"]]
    assert second["extra_keys"] == [["sql"]]
