from __future__ import annotations

import pytest

from epp.exchange.events import Refused, Routed
from epp.pool.endpoint import Endpoint
from epp.routing.labels import Labels
from epp.routing.placement import Placement
from epp.scheduling.decision import Column, Decision, Outcome
from epp.scheduling.query import Query
from epp.scheduling.roll import Roll
from epp.scheduling.scheduler import Reservation

POD, OTHER = Endpoint("10.0.0.1:8000"), Endpoint("10.0.0.2:8000")
DECISION = Decision(
    1.0, "default", (POD,), (POD, OTHER), columns=(Column("s", 1.0, (1.0, 0.5)),), totals=(1.0, 0.5)
)
ROUTED = Routed([("x-gateway-destination-endpoint", POD.address)])
ENDED = Outcome(200, completed=True)


class Ledger:
    """A producer that keeps what it is told at the end, or fails."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken
        self.released: list[tuple[Query, Decision, Outcome]] = []
        self.first_tokens: list[float] = []
        self.ended_at = 0.0

    def produce(self, *_: object) -> None: ...
    def reserve(self, *_: object) -> None: ...
    def forget(self, *_: object) -> None: ...
    def response_headers(self, *_: object) -> tuple[()]:
        return ()

    def first_token(self, _query: object, _decision: object, _held: object, now: float) -> None:
        self.first_tokens.append(now)

    def release(
        self, query: Query, decision: Decision, held: object, outcome: Outcome, now: float
    ) -> None:
        self.released.append((query, decision, outcome))
        self.ended_at = now
        if self.broken:
            raise RuntimeError("boom")


def placed(ledger: Ledger, ends: list[str]) -> Placement:
    query = Query("m", "a long prompt", "salt", {"x-a": "b"}, 1.0, facts={"ledger": "a fact"})
    reservation = Reservation(query, DECISION, Roll({"ledger": ledger}))
    return Placement(Labels("m", "m"), ROUTED, reservation, lambda _: ends.append("end"))


def test_what_is_held_is_given_back_once() -> None:
    ledger, ends = Ledger(), list[str]()
    placement = placed(ledger, ends)
    placement.end(ENDED, 9.0)
    placement.end(Outcome(), 9.0)
    assert [outcome for _, _, outcome in ledger.released] == [ENDED]
    assert ledger.ended_at == 9.0
    assert ends == ["end"]


def test_the_first_token_is_passed_on_once() -> None:
    ledger = Ledger()
    placement = placed(ledger, [])
    placement.first_token(2.0)
    placement.first_token(3.0)
    assert ledger.first_tokens == [2.0]


def test_a_producer_that_fails_does_not_keep_the_pick_open() -> None:
    ledger, ends = Ledger(broken=True), list[str]()
    placement = placed(ledger, ends)
    with pytest.raises(RuntimeError, match="boom"):
        placement.end(ENDED, 9.0)
    assert ends == ["end"]
    placement.end(ENDED, 9.0)
    assert len(ledger.released) == len(ends) == 1


def test_once_settled_it_still_knows_where_the_request_went_but_not_why() -> None:
    ledger = Ledger()
    placement = placed(ledger, [])
    assert placement.decision is DECISION
    placement.settle()
    decision = placement.decision
    assert decision is not None
    assert (decision.winner, decision.at, decision.profile) == (POD, 1.0, "default")
    assert (decision.candidates, decision.columns, decision.runner_up) == ((POD,), (), None)
    placement.end(ENDED, 9.0)
    [(query, told, _)] = ledger.released
    assert told is decision
    assert (query.model, query.cache_salt, query.now) == ("m", "salt", 1.0)
    assert (query.prompt, query.headers, query.facts) == ("", {}, {})


@pytest.mark.parametrize("answer", [ROUTED, Refused(503, "none")])
def test_without_a_reservation_there_is_nothing_to_give_back(answer: Routed | Refused) -> None:
    placement = Placement(Labels("m", "m"), answer)
    placement.settle()
    placement.first_token(2.0)
    placement.end(ENDED, 9.0)
    assert placement.decision is None


def test_its_repr_tells_what_became_of_the_request() -> None:
    assert repr(Placement(Labels("m", "m"), ROUTED)) == "<Placement m Routed>"
    assert repr(Placement(Labels(), Refused(503, "none"))) == "<Placement - Refused>"
