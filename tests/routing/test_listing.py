from __future__ import annotations

import json

import pytest

from epp.exchange.actions import Route
from epp.exchange.events import Answered, Refused
from epp.pool.endpoint import Endpoint
from epp.pool.load import Load, LoraAdapters
from epp.routing.listing import listing
from epp.routing.models import ModelEntry, ModelTable

TABLE = ModelTable({"gpt": ModelEntry(), "sql": ModelEntry(parent="gpt")}, list_models=True)
MUTE = [Endpoint("10.0.0.1:8000"), Endpoint("10.0.0.2:8000", load=Load(1.0))]
SERVING = [
    *MUTE,
    Endpoint("10.0.0.3:8000", load=Load(1.0, models=frozenset({"a", "b"}))),
    Endpoint(
        "10.0.0.4:8000",
        load=Load(1.0, models=frozenset({"b"}), loras=LoraAdapters(frozenset({"lora"}))),
    ),
]


def asked(path: str = "/v1/models", method: str = "GET") -> Route:
    return Route({":path": path, ":method": method}, None)


def names(answer: object) -> list[str]:
    assert isinstance(answer, Answered)
    assert answer.status == 200
    assert dict(answer.headers)["content-type"] == "application/json"
    return [one["id"] for one in json.loads(answer.body)["data"]]


def test_all_that_is_served_and_all_that_the_table_names_is_listed_once() -> None:
    assert names(listing(asked(), TABLE, SERVING)) == ["a", "b", "gpt", "lora", "sql"]
    assert names(listing(asked("/x/v1/models?limit=5"), TABLE, MUTE)) == ["gpt", "sql"]


def test_one_model_can_be_asked_for() -> None:
    answer = listing(asked("/v1/models/sql"), TABLE, MUTE)
    assert isinstance(answer, Answered)
    assert json.loads(answer.body)["parent"] == "gpt"
    slashed = ModelTable({"meta/llama": ModelEntry()})
    for path in ("/v1/models/meta/llama", "/v1/models/meta%2Fllama"):
        assert isinstance(listing(asked(path), slashed, MUTE), Answered)


def test_an_anthropic_client_is_answered_in_its_own_words() -> None:
    headers = {":path": "/v1/models", ":method": "GET", "anthropic-version": "2023-06-01"}
    answer = listing(Route(headers, None), TABLE, MUTE)
    assert isinstance(answer, Answered)
    assert json.loads(answer.body)["first_id"] == "gpt"
    answer = listing(Route({**headers, ":path": "/v1/models/gpt"}, None), TABLE, MUTE)
    assert isinstance(answer, Answered)
    assert json.loads(answer.body)["display_name"] == "gpt"


def test_a_model_that_there_is_not_is_404() -> None:
    answer = listing(asked("/v1/models/x"), TABLE, SERVING)
    assert isinstance(answer, Refused)
    assert (answer.status, answer.code) == (404, "model_not_found")


@pytest.mark.parametrize(
    "route", [asked(method="POST"), asked("/v1/chat/completions"), asked("/v1/modelsx")]
)
def test_other_questions_are_for_an_endpoint(route: Route) -> None:
    assert listing(route, TABLE, SERVING) is None


def test_where_nothing_is_known_an_endpoint_answers() -> None:
    assert listing(asked(), ModelTable(), MUTE) is None
    assert listing(asked(), ModelTable(), []) is None
