from __future__ import annotations

from typing import Any

import pytest

from tests.openai.asking import refused, understood


def test_a_query_stands_before_its_documents() -> None:
    as_text = understood("/v2/rerank", query="q", documents=["a", {"text": "b"}])
    assert (as_text.operation, as_text.prompt) == ("rerank", "q\x1e,a\nb")
    assert understood("/rerank", query="q").prompt == "q\x1e,"


def test_documents_may_be_pictures() -> None:
    picture = {"type": "image_url", "image_url": {"url": "u"}}
    request = understood("/rerank", query="q", documents={"content": [picture]})
    assert request.prompt.startswith("q\x1e,\x1e@image_url:")


def test_a_ranking_needs_a_query() -> None:
    assert refused("/rerank", documents=["a"]).param == "query"


@pytest.mark.parametrize(
    "fields",
    [
        {"text_1": "q", "text_2": ["a", "b"]},
        {"text_2": ["a", "b"], "text_1": ["q"]},
        {"data_1": "q", "data_2": ["a", "b"]},
        {"queries": "q", "documents": ["a", "b"]},
        {"queries": "q", "items": ["a", "b"]},
    ],
)
def test_the_sides_of_a_score_have_many_names(fields: dict[str, Any]) -> None:
    assert understood("/v1/score", **fields).prompt == "q\x1e,a\nb"
