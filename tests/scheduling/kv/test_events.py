from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.scheduling.kv.events import Cleared, Removed, Stored, decode
from tests.scheduling.kv.recorded import CLEARED, batch, messages, removed, stored

encode = msgspec.msgpack.encode


@pytest.mark.parametrize("message", messages(), ids=lambda message: message.seq)
def test_a_real_message_says_what_another_decoder_reads_in_it(message: Any) -> None:
    told = message.batch
    assert told.ts == message.decoded[0]
    assert told.unknown == ()
    assert told.malformed == 0
    for event, other in zip(told.events, message.decoded[1], strict=True):
        assert isinstance(event, Stored)
        assert event.block_hashes == other["block_hashes"]
        assert event.parent_block_hash == other["parent_block_hash"]
        assert event.token_ids == other["token_ids"]
        assert event.block_size == other["block_size"]
        assert event.medium == other["medium"] == "GPU"
        assert event.extra_keys == other["extra_keys"]
        assert event.kv_cache_spec_kind == "full_attention"


def test_maps_and_arrays_say_the_same() -> None:
    rows = [
        1.0,
        [["BlockStored", [7], 6, [1, 2], 2, None, "GPU", "sql"], ["BlockRemoved", [7], "GPU"]],
    ]
    maps = {"ts": 1.0, "events": [stored([7], [1, 2], 6, 2, medium="GPU", lora_name="sql")]}
    (row, gone), (one,) = decode(encode(rows)).events, decode(encode(maps)).events  # type: ignore[union-attr]
    assert isinstance(row, Stored)
    assert isinstance(gone, Removed)
    assert msgspec.structs.asdict(row) == msgspec.structs.asdict(one)
    assert gone.block_hashes == [7]


def test_an_old_server_says_less() -> None:
    told = decode(encode([1.0, [["BlockStored", [7], None, [1, 2], 2, None]]]))
    assert told is not None
    assert isinstance(told.events[0], Stored)
    assert told.events[0].medium is None


def test_a_new_server_says_more() -> None:
    more = [1.0, [["AllBlocksCleared", "why"], {**CLEARED, "why": "asked"}], 3, "later", {}]
    told = decode(encode(more))
    assert told is not None
    assert told.rank == 3
    assert all(isinstance(event, Cleared) for event in told.events)


def test_hashes_are_numbers_or_bytes() -> None:
    told = batch(removed(2**64 - 1, -5, b"\x00" * 32))
    assert isinstance(told.events[0], Removed)
    assert told.events[0].block_hashes == [2**64 - 1, -5, b"\x00" * 32]


def test_an_event_of_an_unknown_type_is_named_and_the_others_count() -> None:
    told = batch(["BlockMoved", 1], {"type": "BlockCopied"}, removed(1))
    assert told.unknown == ("BlockMoved", "BlockCopied")
    assert len(told.events) == 1
    assert told.malformed == 0


def test_an_event_that_is_none_is_counted_and_the_others_count() -> None:
    told = batch(3, [], {}, ["BlockStored", "x"], {"type": "BlockRemoved"}, {"type": 4}, CLEARED)
    assert told.malformed == 6
    assert len(told.events) == 1


@pytest.mark.parametrize(
    "garbage",
    [b"", b"\xc1", b"\x93", encode(1), encode([1]), encode([1, 2]), encode({"ts": 1}), b"\xff" * 9],
)
def test_garbage_is_no_message(garbage: bytes) -> None:
    assert decode(garbage) is None


@given(st.binary(max_size=200))
def test_no_bytes_raise(garbage: bytes) -> None:
    decode(garbage)
    decode(b"\x92\x01\x91" + garbage)
    decode(b"\x92\x01\x91\x96\xabBlockStored" + garbage)


def test_an_event_that_is_nested_without_end_is_none() -> None:
    told = decode(b"\x92\x01\x91" + b"\x91" * 5000 + b"\x01")
    assert told is None or told.malformed == 1
