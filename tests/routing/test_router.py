from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Mapping

import pytest

from epp.exchange.actions import Route
from epp.exchange.events import Refused, Routed
from epp.pool.endpoint import Endpoint
from epp.pool.store import Store
from epp.routing.placement import Placement
from epp.routing.router import Router, RouterSettings
from epp.scheduling.decision import Outcome
from epp.scheduling.handlers.single_profile import SingleProfileHandler
from epp.scheduling.pickers.max_score import MaxScorePicker
from epp.scheduling.plugin import Picker
from epp.scheduling.producers.session_token import SessionTokenProducer
from epp.scheduling.profile import Named, Profile
from epp.scheduling.scheduler import Scheduler

A, B = "10.0.0.1:8000", "10.0.0.2:8000"
DESTINATION = "x-gateway-destination-endpoint"
ASKED = {":path": "/v1/completions", ":method": "POST", "x-request-id": "r1"}
BODY = b'{"model": "m", "prompt": "hello"}'
ENDED = Outcome(200, completed=True)


def router(*addresses: str, picked: int = 1, settings: RouterSettings | None = None) -> Router:
    store = Store()
    store.replace(Endpoint(address) for address in addresses)
    picker = Named[Picker]("picker", MaxScorePicker(max_num_of_endpoints=picked))
    profile = Profile("default", (), (), picker)
    tokens = SessionTokenProducer(SessionTokenProducer.Parameters())
    scheduler = Scheduler([profile], SingleProfileHandler(), {"tokens": tokens})
    return Router(store, scheduler, random.Random(1), settings or RouterSettings())


def route(
    to: Router,
    headers: Mapping[str, str] = {},
    eligible: Iterable[str] | None = None,
    body: bytes | None = BODY,
) -> Placement:
    return to.route(Route({**ASKED, **headers}, body), eligible, 1.0)


def routed(placement: Placement) -> Routed:
    assert isinstance(placement.answer, Routed)
    return placement.answer


def refused(placement: Placement) -> Refused:
    assert isinstance(placement.answer, Refused)
    return placement.answer


def test_a_placement_says_the_destination_in_header_and_metadata() -> None:
    answer = routed(route(router(A)))
    assert list(answer.set_headers) == [(DESTINATION, A), ("x-ai-eg-model", "m")]
    assert answer.metadata == {"envoy.lb": {DESTINATION: A}}


def test_several_endpoints_are_one_list() -> None:
    answer = routed(route(router(A, B, picked=2)))
    destination = dict(answer.set_headers)[DESTINATION]
    assert sorted(destination.split(",")) == [A, B]
    assert answer.metadata == {"envoy.lb": {DESTINATION: destination}}


def test_a_model_header_that_is_there_is_trusted_and_not_set_again() -> None:
    placement = route(router(A), {"x-ai-eg-model": "by-the-gateway"})
    assert placement.labels.model == "by-the-gateway"
    assert list(routed(placement).set_headers) == [(DESTINATION, A)]


def test_control_headers_are_taken_out_and_what_plugins_add_goes_to_the_client() -> None:
    placement = route(router(A), {"x-llm-d-inference-fairness-id": "team", "accept": "*/*"})
    assert placement.labels.fairness_id == "team"
    assert list(routed(placement).remove_headers) == ["x-llm-d-inference-fairness-id"]
    assert [name for name, _ in routed(placement).response_headers] == ["x-session-token"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (None, {}),
        (b"anything", {":method": "GET"}),
        (b"anything", {":path": "/v9/unknown"}),
        (b"\x1f\x8b", {"content-encoding": "gzip", "x-ai-eg-model": "m"}),
        (BODY, {"content-encoding": "Identity"}),
        (BODY, {"content-encoding": ""}),
    ],
)
def test_what_cannot_be_read_is_routed_all_the_same(
    body: bytes | None, headers: dict[str, str]
) -> None:
    placement = route(router(A), headers, body=body)
    assert dict(routed(placement).set_headers)[DESTINATION] == A


@pytest.mark.parametrize(
    ("body", "headers", "status", "param"),
    [
        (b"{", {}, 400, None),
        (b'{"prompt": "x"}', {}, 400, "model"),
        (b'{"model": "a\\nb", "prompt": "x"}', {}, 400, "model"),
        (BODY, {"x-ai-eg-model": "a\x00b"}, 400, "model"),
        (None, {"x-ai-eg-model": "m" * 257}, 400, "model"),
        (b"\x1f\x8b", {"content-encoding": "gzip"}, 415, None),
        (BODY, {"content-encoding": "identity, gzip"}, 415, None),
    ],
)
def test_what_cannot_be_right_is_refused_before_anything_is_held(
    body: bytes, headers: dict[str, str], status: int, param: str | None
) -> None:
    picker = router(A)
    answer = refused(route(picker, headers, body=body))
    assert (answer.status, answer.param, answer.reason) == (status, param, "rejected-malformed")
    assert repr(picker).endswith("0 open>")


def test_parsers_can_be_limited() -> None:
    only_openai = router(A, settings=RouterSettings(parsers=("openai-parser",)))
    answer = refused(route(only_openai, {":path": "/other"}))
    assert (answer.status, answer.code) == (400, "unknown_url")


def test_the_choice_is_inside_the_subset() -> None:
    assert dict(routed(route(router(A, B), eligible=[B])).set_headers)[DESTINATION] == B
    assert refused(route(router(A, B), eligible=[])).status == 503
    assert refused(route(router(A, B), eligible=["10.0.0.3"])).status == 503


def test_an_empty_pool_is_503_whatever_the_subset() -> None:
    for eligible in (None, [], [A]):
        answer = refused(route(router(), eligible=eligible))
        assert (answer.status, answer.reason) == (503, "rejected-no-endpoints")


def test_a_second_call_for_one_request_gets_the_first_ones_choice_until_it_ends() -> None:
    picker = router(A, B)
    first = route(picker, eligible=[B])
    again = route(picker, {DESTINATION: B})
    assert dict(routed(again).set_headers)[DESTINATION] == B
    assert again.decision is None
    assert routed(again).response_headers == ()
    first.end(ENDED, 9.0)
    assert route(picker, {DESTINATION: B}, [A]).decision is not None


def test_a_list_of_which_one_endpoint_is_gone_is_not_repeated() -> None:
    picker = router(A, B, picked=2)
    chosen = dict(routed(route(picker)).set_headers)[DESTINATION]
    assert route(picker, {DESTINATION: chosen}).decision is None
    picker._store.replace([Endpoint(A)])
    again = route(picker, {DESTINATION: chosen})
    assert dict(routed(again).set_headers)[DESTINATION] == A


@pytest.mark.parametrize(
    "headers",
    [
        {DESTINATION: A, "x-request-id": "another"},
        {DESTINATION: A, "x-request-id": ""},
        {DESTINATION: "203.0.113.9:80"},
        {DESTINATION: f"{A},203.0.113.9:80"},
        {DESTINATION: ""},
    ],
)
def test_a_client_cannot_pass_for_a_second_call(headers: dict[str, str]) -> None:
    picker = router(A, B)
    for request_id in ("r1", ""):
        held = route(picker, {"x-request-id": request_id}, [A])
        assert held.decision is not None
    placement = route(picker, headers, [B])
    assert dict(routed(placement).set_headers)[DESTINATION] == B
    assert placement.decision is not None


class Laid:
    """Rules as somebody laid them down."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def priority(self, objective: str) -> int:
        return {"batch": -1}.get(objective, 0)

    def target(self, model: str, conversation: Callable[[], str]) -> str | None:
        self.asked.append(conversation())
        return "m-v2" if model == "m" else None


def test_another_model_serves_and_only_the_body_and_the_choice_know() -> None:
    chosen = router(A)
    chosen.rules = Laid()
    placement = route(chosen)
    answer = routed(placement)
    assert answer.body is not None
    assert json.loads(answer.body) == {**json.loads(BODY), "model": "m-v2"}
    assert dict(answer.set_headers)["x-ai-eg-model"] == "m"
    assert (placement.labels.model, placement.labels.target_model) == ("m", "m-v2")


def test_a_rule_beats_the_header_and_the_header_works_alone() -> None:
    header = {"x-llm-d-model-name-rewrite": "by-header"}
    chosen = router(A)
    assert route(chosen, header).labels.target_model == "by-header"
    chosen.rules = Laid()
    assert route(chosen, header).labels.target_model == "m-v2"


def test_a_body_that_cannot_be_written_anew_keeps_its_model() -> None:
    chosen = router(A)
    chosen.rules = Laid()
    placement = route(chosen, {"x-ai-eg-model": "m"}, body=None)
    assert routed(placement).body is None
    assert placement.labels.target_model == "m"


def test_a_conversation_is_known_by_its_session_or_by_how_it_began() -> None:
    def turns(*contents: str) -> bytes:
        roles = ("system", "user", "assistant", "user")
        messages = [
            {"role": role, "content": text} for role, text in zip(roles, contents, strict=False)
        ]
        return json.dumps({"model": "m", "messages": messages}).encode()

    chosen, rules = router(A), Laid()
    chosen.rules = rules
    chat = {":path": "/v1/chat/completions"}
    route(chosen, chat, body=turns("s", "first question"))
    route(chosen, chat, body=turns("s", "first question", "answer", "second question"))
    route(chosen, chat, body=turns("s", "another question"))
    route(chosen, {**chat, "x-session-id": "7"}, body=turns("s", "first question"))
    first, later, other, session = rules.asked
    assert first == later != other
    assert session == "7"


def test_an_objective_has_the_priority_that_was_laid_down() -> None:
    chosen = router(A)
    chosen.rules = Laid()
    assert route(chosen, {"x-llm-d-inference-objective": "batch"}).labels.priority == -1
    assert route(chosen).labels.priority == 0
