"""The store by itself: revisions and how far they reach back."""

from __future__ import annotations

import pytest

from tests.fakekube.kinds import POD
from tests.fakekube.objects import pod
from tests.fakekube.store import Store, TooOld


def names(store: Store, at: int | None = None) -> list[str]:
    return [obj["metadata"]["name"] for obj in store.collection(POD, "", at)]


def test_a_write_that_changes_nothing_has_no_revision() -> None:
    store = Store()
    first = store.put(POD, pod("a"))
    assert store.put(POD, pod("a")) is first
    assert store.revision == int(first["metadata"]["resourceVersion"])


def test_the_generation_counts_changes_of_the_spec() -> None:
    store = Store()
    store.put(POD, pod("a"))
    relabelled = store.put(POD, pod("a", app="x"))
    assert relabelled["metadata"]["generation"] == 1
    moved = store.put(POD, {**pod("a"), "spec": {"nodeName": "node"}})
    assert moved["metadata"]["generation"] == 2


def test_an_object_that_comes_again_is_another() -> None:
    store = Store()
    first = store.put(POD, pod("a"))
    store.remove((POD, "", "a"))
    assert store.put(POD, pod("a"))["metadata"]["uid"] != first["metadata"]["uid"]


def test_a_collection_is_known_as_it_was() -> None:
    store = Store()
    store.put(POD, pod("b"))
    store.put(POD, pod("a"))
    then = store.revision
    store.remove((POD, "", "a"))
    store.put(POD, pod("c"))
    assert (names(store), names(store, then)) == (["b", "c"], ["a", "b"])


def test_the_oldest_changes_are_forgotten_first() -> None:
    store = Store(history=2)
    start = store.revision
    for name in "abc":
        store.put(POD, pod(name))
    assert [change.key[2] for change in store.since(start + 1)] == ["b", "c"]
    with pytest.raises(TooOld):
        store.since(start)


def test_after_a_compaction_every_revision_given_out_is_too_old() -> None:
    store = Store()
    store.put(POD, pod("a"))
    seen = store.revision
    store.compact()
    with pytest.raises(TooOld):
        store.since(seen)
    assert store.since(store.revision) == []
