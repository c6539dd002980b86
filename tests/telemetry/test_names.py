from __future__ import annotations

from epp.telemetry.names import Names


def test_a_known_name_is_its_own_label() -> None:
    assert Names(["llama"], quota=0).label("llama") == "llama"


def test_a_name_that_nobody_vouches_for_is_other_and_uses_no_quota() -> None:
    names = Names(quota=1)
    assert names.label("invented") == "other"
    assert names.label("served", admit=True) == "served"
    assert names.label("served") == "served"


def test_names_beyond_the_quota_are_other() -> None:
    names = Names(["llama"], quota=2)
    labels = [names.label(f"m{i}", admit=True) for i in range(4)]
    assert labels == ["m0", "m1", "other", "other"]
    assert names.label("m0", admit=True) == "m0"
    assert names.label("llama", admit=True) == "llama"


def test_a_full_table_still_takes_names_that_become_known() -> None:
    names = Names(quota=1)
    names.label("first", admit=True)
    assert names.label("llama", admit=True) == "other"
    names.know(["llama"])
    assert names.label("llama") == "llama"
