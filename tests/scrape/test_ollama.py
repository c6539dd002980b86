from __future__ import annotations

import json

import pytest

from epp.pool.load import Load
from epp.scrape.errors import ScrapeError
from epp.scrape.ollama import OllamaReader

# As in Ollama's documentation of /api/ps.
ONE = {
    "models": [
        {
            "name": "mistral:latest",
            "model": "mistral:latest",
            "size": 5137025024,
            "digest": "2ae6f6dd7a3dd734790bbbf58b8909a606e0e7e97e94b7604e0aa7ae4490e6d8",
            "details": {"parent_model": "", "format": "gguf", "families": ["llama"]},
            "expires_at": "2024-06-04T14:38:31.83753-07:00",
            "size_vram": 5137025024,
        }
    ]
}


def test_the_models_in_memory_are_told_and_nothing_else() -> None:
    read = OllamaReader().read(json.dumps(ONE).encode(), 5.0)
    assert read == Load(5.0, loaded=frozenset({"mistral", "mistral:latest"}))


def test_a_page_after_another_means_what_it_says() -> None:
    reader = OllamaReader()
    for page in (b'{"models": []}', json.dumps(ONE).encode(), b'{"models": []}'):
        assert reader.read(page, 1.0) == OllamaReader().read(page, 1.0)


@pytest.mark.parametrize("page", [b"", b"<html>", b'{"data": []}', b"{}"])
def test_a_page_that_is_none_is_an_error_each_time(page: bytes) -> None:
    reader = OllamaReader()
    for _ in range(2):
        with pytest.raises(ScrapeError, match="no list of models"):
            reader.read(page, 1.0)
