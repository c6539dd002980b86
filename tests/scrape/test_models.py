from __future__ import annotations

import json

import pytest

from epp.scrape.errors import ScrapeError
from epp.scrape.models import MAX_MODELS, read_models
from tests.scrape.pages import llama_cpp


def test_the_list_of_an_openai_server_is_its_ids() -> None:
    page = {
        "object": "list",
        "data": [
            {"id": "llama", "object": "model", "owned_by": "vllm", "root": "/m", "parent": None},
            {"id": "sql-lora", "object": "model", "parent": "llama"},
        ],
    }
    assert read_models(json.dumps(page).encode()) == {"llama", "sql-lora"}


def test_a_model_of_ollama_goes_by_its_name_with_the_default_tag_and_without() -> None:
    page = {"models": [{"name": "mistral:latest", "model": "mistral:latest"}, {"name": "qwen3:8b"}]}
    assert read_models(json.dumps(page).encode()) == {"mistral", "mistral:latest", "qwen3:8b"}


def test_the_list_of_a_real_llama_cpp_is_read() -> None:
    assert read_models(llama_cpp("models.json")) == {"tiny"}


def test_a_server_may_have_no_models() -> None:
    assert read_models(b'{"data": []}') == read_models(b'{"models": []}') == frozenset()


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"<html></html>",
        b"[]",
        b"null",
        b"{}",
        b'{"error": "no"}',
        b'{"data": 3}',
        b'{"data": [{"id": 3}]}',
        b'{"data": [{"id": "\xff"}]}',
        b"[" * 100_000,
        b'{"x": ' * 50_000,
    ],
)
def test_what_is_no_list_is_an_error(page: bytes) -> None:
    with pytest.raises(ScrapeError, match="list of models"):
        read_models(page)


def test_a_list_without_end_and_names_without_end_are_cut() -> None:
    data = [{"id": f"m{i}"} for i in range(MAX_MODELS + 100)]
    models = read_models(json.dumps({"data": [{"id": "x" * 300}, {"id": ""}, *data]}).encode())
    assert len(models) == MAX_MODELS
    assert models <= {one["id"] for one in data}
