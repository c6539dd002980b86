from __future__ import annotations

from benchmarks.routing.clients import Clients
from tests.benchmarks.routing.requests import request


def test_a_trace_without_clients_stays_as_it_is() -> None:
    arrivals = [request(n, 2048, prompt=n) for n in range(3)]
    assert Clients().mark(arrivals) == arrivals


def test_a_conversation_keeps_its_client_and_its_priority() -> None:
    clients = Clients({"a": 0.5, "b": 0.5}, {1: 0.5, -1: 0.5})
    arrivals = [request(n, 2048, prompt=n % 40) for n in range(80)]
    marked = clients.mark(arrivals)
    first, again = marked[:40], marked[40:]
    assert [(r.flow, r.priority) for r in first] == [(r.flow, r.priority) for r in again]
    assert {r.flow for r in first} == {"a", "b"}
    assert {r.priority for r in first} == {1, -1}


def test_without_one_client_the_others_send_the_same() -> None:
    arrivals = [request(n, 2048, prompt=n) for n in range(80)]
    both = Clients({"a": 0.5, "b": 0.5}).mark(arrivals)
    one = Clients({"a": 0.5, "b": 0.5}, absent=frozenset("a")).mark(arrivals)
    assert [r.number for r in one] == [r.number for r in both if r.flow == "b"]
