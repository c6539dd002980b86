from __future__ import annotations

import random
from dataclasses import dataclass, field

from epp.config.build import build
from epp.config.load import load
from epp.exchange.actions import Route
from epp.exchange.events import Refused, Routed
from epp.pool.endpoint import Endpoint
from epp.pool.store import Store
from epp.routing.admission.admission import Admission
from epp.routing.placement import Placement
from epp.routing.router import Router, RouterSettings
from epp.routing.waiting import Waiting
from epp.scheduling.decision import Outcome
from epp.scheduling.gate.targets import Targets

CONFIG = """
apiVersion: llm-d.ai/v1alpha1
kind: EndpointPickerConfig
plugins:
- type: marginal-cost-scorer
flowControl:
  targets: {ttft: 2s, tpot: 50ms}
  maxRequests: 2
"""
HEADERS = {":path": "/v1/completions", ":method": "POST"}
LONG = 20_000  # tokens: 0.7 s of prefill, and an endpoint is closed for more


@dataclass
class Gated:
    """A router before one endpoint, and the placements that came later."""

    now: float = 10.0
    later: list[Placement] = field(default_factory=list)
    woken_at: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        config = load(CONFIG, "test")
        built = build(config, seed=1)
        assert built.gate is not None
        assert config.flow_control is not None
        self.store = Store()
        self.store.replace([Endpoint("10.0.0.1:8000")])
        rng = random.Random(1)
        settings = config.flow_control.admission()
        self.admission = Admission(built.scheduler, built.gate, rng, settings, self.woken_at.append)
        self.router = Router(self.store, built.scheduler, rng, RouterSettings(), self.admission)

    def route(self, tokens: int = LONG, **headers: str) -> Placement | Waiting:
        body = b'{"model": "m", "stream": true, "prompt": "%s"}' % (b"word" * tokens)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        asked = Route({**HEADERS, **named}, body)
        return self.router.route(asked, None, self.now, self.now, self.later.append)

    def placed(self) -> Placement:
        placement = self.route()
        assert isinstance(placement, Placement)
        assert isinstance(placement.answer, Routed)
        return placement


def test_who_cannot_be_taken_yet_waits_and_is_placed_later() -> None:
    gated = Gated()
    first = gated.placed()
    waiting = gated.route()
    assert isinstance(waiting, Waiting)
    assert waiting.labels.model == "m"
    gated.now += 0.25
    first.first_token(gated.now)
    (placement,) = gated.later
    assert isinstance(placement.answer, Routed)
    assert (placement.waited_s, placement.waited_for) == (0.25, "queue")
    assert placement.decision is not None
    assert (placement.decision.waited_s, placement.decision.waited_for) == (0.25, "queue")
    assert placement.targets == Targets(2.0, 0.05)


def test_an_end_is_heard_of_too() -> None:
    gated = Gated()
    first = gated.placed()
    gated.route()
    first.end(Outcome(), gated.now + 0.1)
    assert len(gated.later) == 1


def test_time_alone_is_told_to_the_alarm() -> None:
    gated = Gated()
    gated.placed()
    gated.route()
    assert gated.now < gated.woken_at[-1] < gated.now + 2.0
    gated.admission.advance(gated.woken_at[-1] + 0.01)
    assert len(gated.later) == 1


def test_who_leaves_is_placed_nowhere() -> None:
    gated = Gated()
    first = gated.placed()
    waiting = gated.route()
    assert isinstance(waiting, Waiting)
    waiting.leave()
    waiting.leave()
    first.end(Outcome(), gated.now)
    assert gated.later == []


def test_without_a_way_to_be_told_later_nobody_waits() -> None:
    gated = Gated()
    gated.placed()
    placement = gated.router.route(
        Route(HEADERS, b'{"model": "m", "prompt": "x"}'), None, gated.now
    )
    assert isinstance(placement.answer, Routed)


def test_a_full_room_refuses_and_says_when_to_come_again() -> None:
    gated = Gated()
    gated.placed()
    gated.route()
    gated.route()
    refused = gated.route()
    assert isinstance(refused, Placement)
    assert isinstance(refused.answer, Refused)
    assert (refused.answer.status, refused.answer.reason) == (429, "rejected-capacity")
    assert refused.answer.retry_after_s
    assert refused.answer.path == "/v1/completions"


def test_a_client_s_own_timeout_ends_the_wait() -> None:
    gated = Gated()
    gated.placed()
    gated.route(x_llm_d_request_timeout_ms="100")
    gated.admission.advance(gated.now + 0.11)
    ((placement),) = gated.later
    assert isinstance(placement.answer, Refused)
    assert (placement.answer.status, placement.answer.code) == (504, "deadline_exceeded")
    assert placement.answer.reason == "rejected-ttl-expired"


def test_an_endpoint_that_leaves_is_not_chosen_for_who_waits() -> None:
    gated = Gated()
    first = gated.placed()
    gated.route()
    gated.store.replace([Endpoint("10.0.0.2:8000")])
    first.end(Outcome(), gated.now)
    gated.admission.pool_changed(gated.now)
    (placement,) = gated.later
    assert placement.decision is not None
    assert placement.decision.winner.address == "10.0.0.2:8000"
