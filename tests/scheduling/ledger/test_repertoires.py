from __future__ import annotations

from epp.pool.load import Load
from epp.scheduling.ledger.repertoires import Repertoires


def listing(*models: str) -> Load:
    return Load(0.0, models=frozenset(models))


def test_endpoints_that_list_the_same_do_not_differ() -> None:
    repertoires = Repertoires()
    for address in ("a:1", "b:1"):
        repertoires.read(address, listing("m", "n"))
    repertoires.read("c:1", Load(0.0))  # says nothing
    assert not repertoires.differ


def test_they_differ_until_the_other_one_lists_the_same_or_leaves() -> None:
    repertoires = Repertoires()
    repertoires.read("a:1", listing("m"))
    repertoires.read("b:1", listing("n"))
    assert repertoires.differ
    repertoires.read("b:1", listing("m"))
    assert not repertoires.differ
    repertoires.read("b:1", listing())
    assert repertoires.differ
    repertoires.forget("b:1")
    assert not repertoires.differ


def test_one_that_tells_what_it_has_in_memory_may_differ_from_itself() -> None:
    repertoires = Repertoires()
    repertoires.read("a:1", Load(0.0, models=frozenset("m"), loaded=frozenset()))
    assert repertoires.differ
