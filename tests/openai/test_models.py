from __future__ import annotations

import json

import pytest

from epp.openai.models import Model, asked_model, list_body, model_body


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/models", ""),
        ("/any/prefix/v1/models", ""),
        ("/models", ""),
        ("/v1/models/llama", "llama"),
        ("/v1/models/meta/llama", "meta/llama"),
        ("/x/v1/models/models", "models"),
        ("/v1/modelsx", None),
        ("/v1/model", None),
        ("/v2/models", None),
        ("/repository/models/llama/load", None),
        ("/v1/chat/completions", None),
        ("/", None),
    ],
)
def test_the_path_says_which_model_is_asked_about(path: str, name: str | None) -> None:
    assert asked_model(path) == name


def test_anthropic_has_fields_of_its_own() -> None:
    body = json.loads(list_body([Model("b"), Model("a")], anthropic=True))
    assert [one["id"] for one in body["data"]] == ["a", "b"]
    assert (body["first_id"], body["last_id"], body["has_more"]) == ("a", "b", False)
    assert body["data"][0] == json.loads(model_body(Model("a"), anthropic=True))
    assert body["data"][0]["type"] == "model"
    assert json.loads(list_body([], anthropic=True))["first_id"] is None


def test_the_list_is_sorted_and_has_openai_s_fields() -> None:
    body = json.loads(list_body([Model("b"), Model("a", "b")]))
    assert body["object"] == "list"
    assert [one["id"] for one in body["data"]] == ["a", "b"]
    assert body["data"][0] == {
        "id": "a",
        "parent": "b",
        "object": "model",
        "created": 0,
        "owned_by": "endpoint-picker",
    }
    assert json.loads(model_body(Model("a", "b"))) == body["data"][0]
