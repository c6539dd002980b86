from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from epp.exchange.actions import Route
from epp.exchange.events import Answered, AnswerEdit, Refused, Routed
from epp.openai.validation import Validation
from epp.pool.endpoint import Endpoint
from epp.pool.load import Load, LoraAdapters
from epp.pool.store import Store
from epp.routing.models import ModelEntry, ModelTable
from epp.routing.placement import Placement
from epp.routing.router import Router, RouterSettings
from epp.routing.split import Split
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
        (b"anything", {"content-encoding": "compress", "x-ai-eg-model": "m"}),
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
        (b"\x1f\x8b", {"content-encoding": "gzip"}, 400, None),
        (BODY, {"content-encoding": "identity, compress"}, 415, None),
        (b'{"model": "m"}', {"content-encoding": "gzip", "x-ai-eg-model": "m"}, 400, None),
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


def test_a_compressed_body_is_read_and_goes_on_as_it_is() -> None:
    answer = routed(route(router(A), {"content-encoding": "gzip"}, body=gzip.compress(BODY)))
    assert dict(answer.set_headers)["x-ai-eg-model"] == "m"
    assert (answer.body, list(answer.remove_headers)) == (None, [])


def test_a_compressed_body_that_is_rewritten_goes_on_plain() -> None:
    headers = {"content-encoding": "gzip", "x-llm-d-model-name-rewrite": "n"}
    answer = routed(route(router(A), headers, body=gzip.compress(BODY)))
    assert answer.body == b'{"model":"n","prompt":"hello"}'
    assert "content-encoding" in answer.remove_headers


def test_a_bomb_is_too_large() -> None:
    bomb = gzip.compress(b" " * 2000)
    small = router(A, settings=RouterSettings(max_body_bytes=1000))
    for given in ({}, {"x-ai-eg-model": "m"}):
        answer = refused(route(small, {"content-encoding": "gzip", **given}, body=bomb))
        assert (answer.status, answer.reason) == (413, "rejected-too-large")


def test_strict_wants_what_the_api_wants() -> None:
    strict = router(A, settings=RouterSettings(validation=Validation.STRICT))
    body = b'{"model": "m", "messages": [{"role": "boss"}]}'
    answer = refused(route(strict, {":path": "/v1/chat/completions"}, body=body))
    assert (answer.status, answer.param) == (400, "messages[0].role")
    given = {"x-ai-eg-model": "m", "content-encoding": "compress"}
    assert refused(route(strict, given)).status == 415


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"{", {}),
        (b'{"prompt": "x"}', {}),
        (b'{"model": "a\nb", "prompt": "x"}', {}),
        (b"\x1f\x8b", {"content-encoding": "gzip"}),
        (BODY, {"content-encoding": "compress"}),
        (gzip.compress(b" " * 2000), {"content-encoding": "gzip"}),
    ],
)
def test_off_refuses_nothing_for_what_it_says(body: bytes, headers: dict[str, str]) -> None:
    blind = RouterSettings(validation=Validation.OFF, max_body_bytes=1000)
    answer = routed(route(router(A, settings=blind), headers, body=body))
    assert list(answer.set_headers) == [(DESTINATION, A)]


def test_a_refusal_says_which_path_it_is_about() -> None:
    for path, headers in (("/v1/messages", {}), ("/v1/x", {"x-original-path": "/v1/y"})):
        answer = refused(route(router(), {":path": f"{path}?a=b", **headers}))
        assert answer.path == path


CHAT = {":path": "/v1/chat/completions"}
STREAM = b'{"model": "m", "stream": true, "messages": [{"role": "user"}]}'


def test_the_usage_of_a_stream_is_asked_for_and_hidden_where_it_is_wanted() -> None:
    curious = router(A, settings=RouterSettings(want_usage=True))
    answer = routed(route(curious, CHAT, body=STREAM))
    assert answer.body is not None
    assert json.loads(answer.body)["stream_options"] == {"include_usage": True}
    assert answer.edit == AnswerEdit(hide_usage=True)
    assert routed(route(router(A), CHAT, body=STREAM)).body is None


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", STREAM.replace(b"true", b"false")),
        (
            "/v1/chat/completions",
            STREAM.replace(b"true", b'true, "stream_options": {"include_usage": true}'),
        ),
        ("/v1/responses", b'{"model": "m", "stream": true, "input": "x"}'),
        ("/v1/messages", STREAM),
    ],
)
def test_usage_that_is_told_anyhow_is_not_asked_for(path: str, body: bytes) -> None:
    curious = router(A, settings=RouterSettings(want_usage=True))
    answer = routed(route(curious, {":path": path}, body=body))
    assert (answer.body, answer.edit) == (None, None)


class Laid:
    """Rules as somebody laid them down."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def priority(self, objective: str) -> int:
        return {"batch": -1}.get(objective, 0)

    def knows(self, model: str) -> bool:
        return model == "m-v2"

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
    assert answer.edit == AnswerEdit("m")
    assert not answer.clear_route_cache


def test_a_rule_beats_the_header_and_the_header_works_alone() -> None:
    header = {"x-llm-d-model-name-rewrite": "by-header"}
    chosen = router(A)
    assert route(chosen, header).labels.target_model == "by-header"
    chosen.rules = Laid()
    assert route(chosen, header).labels.target_model == "m-v2"


def test_a_second_call_sees_the_rewritten_body_and_leaves_it_alone() -> None:
    chosen = router(A)
    chosen.rules = Laid()
    first = routed(route(chosen))
    again = route(chosen, dict(first.set_headers), body=first.body)
    assert (again.labels.model, again.labels.target_model) == ("m", "m-v2")
    assert (routed(again).body, routed(again).edit) == (None, None)
    assert again.decision is None


def table(**fields: Any) -> RouterSettings:
    entries = {
        "big": ModelEntry(labels={"size": "big"}),
        "gpt": ModelEntry(Split({"big": 1}), {"size": "ignored: the target has its own"}),
        "canary": ModelEntry(Split({"v1": 1, "v2": 1}), {"size": "small"}),
    }
    return RouterSettings(models=ModelTable(entries, **fields))


def asking(model: str) -> bytes:
    return json.dumps({"model": model, "prompt": "hello"}).encode()


def labelled(**settings: Any) -> Router:
    made = router(settings=table(**settings))
    made._store.replace(
        [Endpoint(A, labels={"size": "big"}), Endpoint(B, labels={"size": "small"})]
    )
    return made


def test_a_model_is_served_only_by_endpoints_with_its_labels() -> None:
    for model, destination in (("big", A), ("gpt", A), ("canary", B)):
        for _ in range(5):
            answer = routed(route(labelled(), body=asking(model)))
            assert dict(answer.set_headers)[DESTINATION] == destination


def test_an_alias_is_served_by_its_model() -> None:
    placement = route(labelled(), body=asking("gpt"))
    answer = routed(placement)
    assert answer.body == b'{"model":"big","prompt":"hello"}'
    assert dict(answer.set_headers)["x-ai-eg-model"] == "gpt"
    assert answer.edit == AnswerEdit("gpt")
    assert placement.labels.target_model == "big"


def test_a_canary_keeps_its_conversations() -> None:
    chosen = labelled()
    variants = [
        [
            route(chosen, {"x-session-id": str(n)}, body=asking("canary")).labels.target_model
            for _ in range(3)
        ]
        for n in range(40)
    ]
    assert all(len(set(one)) == 1 for one in variants)
    assert {one[0] for one in variants} == {"v1", "v2"}


def test_a_model_whose_endpoints_are_away_is_503() -> None:
    answer = refused(route(router(A, settings=table()), body=asking("big")))
    assert (answer.status, answer.reason) == (503, "rejected-no-endpoints")
    assert "big" in answer.message


def test_an_unknown_model_passes_or_is_404() -> None:
    assert isinstance(route(labelled(), body=asking("x")).answer, Routed)
    answer = refused(route(labelled(refuse_unknown=True), body=asking("x")))
    assert (answer.status, answer.code, answer.param) == (404, "model_not_found", "model")
    assert isinstance(route(labelled(refuse_unknown=True), body=None).answer, Routed)


@pytest.mark.parametrize("model", ["v1", "served", "adapter", "m", "m-v2"])
def test_a_model_that_is_a_target_or_served_or_laid_down_is_known(model: str) -> None:
    strict = labelled(refuse_unknown=True)
    strict.rules = Laid()
    loras = LoraAdapters(running=frozenset({"adapter"}))
    load = Load(1.0, models=frozenset({"served"}), loras=loras)
    strict._store.report(strict._store.snapshot().endpoints[0], load)
    assert isinstance(route(strict, body=asking(model)).answer, Routed)


def test_the_target_of_a_header_must_be_known_too() -> None:
    header = {"x-llm-d-model-name-rewrite": "x"}
    strict = labelled(refuse_unknown=True)
    assert refused(route(strict, header, body=asking("big"))).status == 404


def test_the_route_is_chosen_anew_only_where_the_model_becomes_known_here() -> None:
    clearing = labelled(clear_route_cache=True)
    assert routed(route(clearing, body=asking("big"))).clear_route_cache
    assert not routed(route(clearing, {"x-ai-eg-model": "big"})).clear_route_cache
    assert not routed(route(clearing, body=None)).clear_route_cache


def test_models_are_listed_where_that_is_wanted() -> None:
    asked = {":method": "GET", ":path": "/v1/models"}
    placement = route(labelled(list_models=True), asked, body=None)
    assert isinstance(placement.answer, Answered)
    assert placement.decision is None
    for chosen in (labelled(), router(A)):
        assert isinstance(route(chosen, asked, body=None).answer, Routed)


def test_a_request_that_nobody_waits_for_is_504_and_holds_nothing() -> None:
    chosen, headers = router(A), {"x-llm-d-request-timeout-ms": "500"}
    asked = Route({**ASKED, **headers}, BODY)
    answer = refused(chosen.route(asked, None, now=2.0, started_at=1.5))
    assert (answer.status, answer.reason) == (504, "rejected-ttl-expired")
    assert repr(chosen).endswith("0 open>")
    answered = routed(chosen.route(asked, None, now=1.9, started_at=1.5))
    assert "x-llm-d-request-timeout-ms" in answered.remove_headers


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
