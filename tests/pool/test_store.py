from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.pool.store import Change, Store

A, B, C = Endpoint("a:1", name="a"), Endpoint("b:1"), Endpoint("c:1")


def addresses(endpoints: tuple[Endpoint, ...]) -> list[str]:
    return [e.address for e in endpoints]


def test_a_new_store_is_empty() -> None:
    store = Store()
    assert store.snapshot().endpoints == ()
    assert store.get("a:1") is None


def test_the_snapshot_keeps_the_order_of_the_source() -> None:
    store = Store()
    store.replace([C, A, B])
    assert addresses(store.snapshot().endpoints) == ["c:1", "a:1", "b:1"]


def test_a_change_tells_who_joined_and_who_left() -> None:
    store = Store()
    store.replace([A, B])
    change = store.replace([B, C])
    assert (addresses(change.joined), addresses(change.left)) == (["c:1"], ["a:1"])


def test_a_change_is_true_if_anything_changed() -> None:
    store = Store()
    assert store.replace([A])
    assert not store.replace([A])
    assert store.replace([])
    assert not Change()


def test_of_two_endpoints_with_one_address_the_first_counts() -> None:
    store = Store()
    store.replace([A, Endpoint("a:1", name="other")])
    assert [e.name for e in store.snapshot().endpoints] == ["a"]


def test_an_endpoint_that_stays_keeps_its_load_and_generation_and_takes_the_new_description() -> (
    None
):
    store = Store()
    store.replace([A])
    before = store.snapshot().endpoints[0]
    load = Load(at=1.0, waiting=3)
    store.report(before, load)
    store.replace([Endpoint("a:1", name="renamed", labels={"zone": "x"})])
    after = store.get("a:1")
    assert after is not None
    assert (after.name, after.labels["zone"]) == ("renamed", "x")
    assert (after.load, after.generation) == (load, before.generation)


def test_an_endpoint_whose_metrics_are_elsewhere_leaves_and_joins() -> None:
    for other in (Endpoint("a:1", metrics_url="http://a:2/metrics"), Endpoint("a:1", engine="x")):
        store = Store()
        store.replace([A])
        store.report(store.snapshot().endpoints[0], Load(at=1.0))
        change = store.replace([other])
        assert (addresses(change.joined), addresses(change.left)) == (["a:1"], ["a:1"])
        (after,) = store.snapshot().endpoints
        assert after.load is None
        assert after.generation > change.left[0].generation


def test_an_endpoint_that_comes_back_is_a_new_one() -> None:
    store = Store()
    store.replace([A])
    (before,) = store.snapshot().endpoints
    store.report(before, Load(at=1.0))
    store.replace([])
    store.replace([A])
    (after,) = store.snapshot().endpoints
    assert after.generation > before.generation
    assert after.load is None


def test_what_a_source_says_of_load_and_generation_is_ignored() -> None:
    store = Store()
    store.replace([Endpoint("a:1", generation=99, load=Load(at=0.0))])
    (endpoint,) = store.snapshot().endpoints
    assert (endpoint.generation, endpoint.load) == (1, None)


def test_a_late_reading_of_an_earlier_life_is_dropped() -> None:
    store = Store()
    store.replace([A])
    (before,) = store.snapshot().endpoints
    store.replace([])
    store.report(before, Load(at=1.0))
    store.replace([A])
    store.report(before, Load(at=2.0))
    assert store.snapshot().endpoints[0].load is None


def test_a_snapshot_never_changes() -> None:
    store = Store()
    store.replace([A])
    snapshot = store.snapshot()
    store.report(snapshot.endpoints[0], Load(at=1.0))
    assert snapshot.endpoints[0].load is None
    assert store.snapshot().endpoints[0].load is not None


def test_the_snapshot_is_made_once_as_long_as_nothing_changes() -> None:
    store = Store()
    store.replace([A])
    assert store.snapshot() is store.snapshot()


def test_the_store_says_how_many_endpoints_it_knows() -> None:
    store = Store()
    store.replace([A, B])
    store.report(store.snapshot().endpoints[0], Load(at=1.0))
    assert repr(store) == "<Store 2 endpoints, load of 1 known>"


ADDRESSES = st.sampled_from(["a:1", "b:1", "c:1", "d:1"])


class StoreEqualsADict(RuleBasedStateMachine):
    """The store against a dict from address to (generation, second of the last reading)."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Store()
        self.model: dict[str, tuple[int, float | None]] = {}
        self.seen: list[Endpoint] = []
        self.joins = 0

    @rule(wanted=st.lists(ADDRESSES))
    def replace(self, wanted: list[str]) -> None:
        model: dict[str, tuple[int, float | None]] = {}
        for address in dict.fromkeys(wanted):
            if address not in self.model:
                self.joins += 1
            model[address] = self.model.get(address, (self.joins, None))
        change = self.store.replace([Endpoint(address) for address in wanted])
        assert addresses(change.joined) == [a for a in model if a not in self.model]
        assert addresses(change.left) == [a for a in self.model if a not in model]
        self.model = model
        self.seen += change.joined

    @rule(data=st.data(), at=st.floats(0.0, 1e9))
    def report(self, data: st.DataObject, at: float) -> None:
        if not self.seen:
            return
        endpoint = data.draw(st.sampled_from(self.seen))
        self.store.report(endpoint, Load(at=at))
        generation, _ = self.model.get(endpoint.address, (0, None))
        if generation == endpoint.generation:
            self.model[endpoint.address] = (generation, at)

    @invariant()
    def same(self) -> None:
        there = self.store.snapshot().endpoints
        assert {e.address: (e.generation, e.load and e.load.at) for e in there} == self.model
        assert addresses(there) == list(self.model)
        assert all(self.store.get(e.address) is e for e in there)


TestStoreEqualsADict = StoreEqualsADict.TestCase
TestStoreEqualsADict.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
