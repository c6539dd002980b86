from __future__ import annotations

from epp.exchange.events import Refused
from epp.openai.request import Request
from epp.pool.endpoint import Endpoint
from epp.pool.store import Store
from epp.routing.candidates import Candidates
from epp.routing.intent import Intent
from epp.routing.labels import Labels

A = Endpoint("10.0.0.1:8000", labels={"gpu": "h100"})
B = Endpoint("10.0.0.2:8000", labels={"gpu": "l4"})


def candidates(*pool: Endpoint, eligible: list[str] | None = None, **labels: str) -> Candidates:
    store = Store()
    store.replace(pool)
    return Candidates(store, Intent({}, Request("chat"), Labels("m"), labels), eligible)


def addresses(found: object) -> list[str]:
    assert isinstance(found, tuple)
    return [endpoint.address for endpoint in found]


def test_without_limits_they_are_the_whole_pool() -> None:
    assert addresses(candidates(A, B).find()) == [A.address, B.address]


def test_the_proxy_s_subset_and_the_labels_of_the_model_both_hold() -> None:
    assert addresses(candidates(A, B, eligible=[B.address]).find()) == [B.address]
    assert addresses(candidates(A, B, gpu="h100").find()) == [A.address]
    assert isinstance(candidates(A, B, eligible=[B.address], gpu="h100").find(), Refused)


def test_an_empty_pool_is_not_the_fault_of_a_limit() -> None:
    assert candidates(eligible=["10.9.9.9:1"], gpu="h100").find() == ()


def test_who_waits_has_none_where_another_would_be_refused() -> None:
    assert candidates(A, eligible=[B.address]).there() == ()
    assert addresses(candidates(A).there()) == [A.address]


def test_they_are_those_of_the_moment() -> None:
    store = Store()
    found = Candidates(store, Intent({}, Request("chat"), Labels("m")), None)
    assert found.there() == ()
    store.replace([A])
    assert addresses(found.there()) == [A.address]
