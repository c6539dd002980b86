from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from epp.discovery.inference_pool import GROUP, LEGACY_GROUP, Pool
from epp.discovery.objectives import InferenceObjective, objectives

POOL = Pool("prod", "chat")


def objective(name: str, priority: int | None = None, /, **ref: Any) -> InferenceObjective:
    spec = {"poolRef": {"group": GROUP, "name": "chat", **ref}, "priority": priority}
    meta = {"name": name, "namespace": "prod"}
    return msgspec.convert({"metadata": meta, "spec": spec}, InferenceObjective)


def test_an_objective_has_its_priority() -> None:
    found = objectives(POOL, [objective("urgent", 10), objective("batch", -5)])
    assert (found.priority("urgent"), found.priority("batch")) == (10, -5)
    assert found.complaints == ()


def test_an_objective_without_a_priority_has_0_and_so_has_one_that_is_not_there() -> None:
    found = objectives(POOL, [objective("plain")])
    assert (found.priority("plain"), found.priority("nothing")) == (0, 0)


@pytest.mark.parametrize("ref", [{"name": "other"}, {"group": LEGACY_GROUP}, {"kind": "Service"}])
def test_the_objective_of_another_pool_is_none_of_ours(ref: dict[str, str]) -> None:
    found = objectives(POOL, [objective("o", 1, **ref)])
    assert (found.priority("o"), found.complaints) == (0, ())


def test_the_pool_of_the_old_group_has_objectives_of_its_own() -> None:
    old = msgspec.structs.replace(POOL, group=LEGACY_GROUP)
    assert objectives(old, [objective("o", 1, group=LEGACY_GROUP)]).priority("o") == 1


def test_an_objective_that_is_being_deleted_is_gone() -> None:
    meta = msgspec.structs.replace(objective("o").metadata, deletion_timestamp="2026-11-23")
    leaving = msgspec.structs.replace(objective("o", 1), metadata=meta)
    assert objectives(POOL, [leaving]).priority("o") == 0


def test_an_objective_that_leaves_out_the_group_is_told_what_to_write() -> None:
    spec = {"poolRef": {"name": "chat"}, "priority": 3}
    written = {"metadata": {"name": "o", "namespace": "prod"}, "spec": spec}
    found = objectives(POOL, [msgspec.convert(written, InferenceObjective)])
    assert found.priority("o") == 0
    assert [str(c) for c in found.complaints] == [
        'InferenceObjective prod/o: spec.poolRef.group: is "llm-d.ai", which has no pools; '
        "write inference.networking.k8s.io"
    ]


@given(st.dictionaries(st.text(), st.none() | st.integers(-(2**31), 2**31 - 1)), st.text())
def test_priorities_are_a_dictionary_with_0_for_the_rest(
    priorities: dict[str, int | None], asked: str
) -> None:
    found = objectives(POOL, [objective(name, p) for name, p in priorities.items()])
    assert found.priority(asked) == (priorities.get(asked) or 0)
