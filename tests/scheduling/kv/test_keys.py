from __future__ import annotations

from typing import Any

import pytest

from epp.scheduling.kv.events import Stored
from epp.scheduling.kv.keys import adapter_of, packed_hash, root_key, salted, stored_keys
from tests.scheduling.kv.recorded import batch, stored

ROOT = root_key(7, "")
IDS = list(range(12))


def event(**fields: Any) -> Stored:
    (found,) = batch(stored([1, 2, 3], IDS, **fields)).events
    assert isinstance(found, Stored)
    return found


def keys(**fields: Any) -> list[int]:
    told = event(**fields)
    found = stored_keys(told, ROOT, adapter_of(told))
    assert found is not None
    return found


def test_each_block_has_a_key_of_all_that_comes_before_it() -> None:
    assert len(set(keys())) == 3
    assert keys()[:2] == stored_keys(event(block_hashes=[1, 2], token_ids=IDS[:8]), ROOT, "")
    assert keys()[2:] == stored_keys(event(block_hashes=[3], token_ids=IDS[8:]), keys()[1], "")


def test_a_salt_of_the_first_block_changes_all_keys() -> None:
    with_salt = keys(extra_keys=[["tenant"], None, None])
    assert not set(with_salt) & set(keys())
    start = salted(ROOT, ["tenant"])
    assert with_salt == stored_keys(event(), start, "")


def test_an_image_changes_its_own_block_and_those_after_it() -> None:
    with_image = keys(extra_keys=[None, [["sum", 3]], None])
    assert with_image[0] == keys()[0]
    assert not set(with_image[1:]) & set(keys())


def test_an_adapter_among_the_extra_keys_is_in_the_root_already() -> None:
    adapted = event(lora_name="sql", extra_keys=[["sql"], ["sql"], ["sql"]])
    root = root_key(7, "sql")
    assert stored_keys(adapted, root, "sql") == stored_keys(event(), root, "sql")
    assert root != ROOT


def test_an_old_server_numbers_its_adapters() -> None:
    assert adapter_of(event(lora_id=3)) == "#3"
    assert adapter_of(event(lora_id=3, lora_name="sql")) == "sql"
    assert adapter_of(event()) == ""


@pytest.mark.parametrize(
    "wrong",
    [{"token_ids": IDS[:11]}, {"block_size": 0}, {"block_size": -4}, {"token_ids": [-1, *IDS[1:]]}],
)
def test_an_event_that_contradicts_itself_has_no_keys(wrong: dict[str, Any]) -> None:
    assert stored_keys(event(**wrong), ROOT, "") is None


def test_a_long_hash_is_kept_in_eight_bytes() -> None:
    assert packed_hash(b"\x01" * 24 + b"\x00" * 7 + b"\x05") == 5
    assert packed_hash(-5) == -5
