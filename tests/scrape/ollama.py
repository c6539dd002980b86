"""A server that answers as Ollama's documentation of its API says."""

from __future__ import annotations

import json

from tests.scrape.server import Behaviour, Visit, answer, by_path, say

_DETAILS = {
    "parent_model": "",
    "format": "gguf",
    "family": "llama",
    "families": ["llama"],
    "parameter_size": "7.2B",
    "quantization_level": "Q4_0",
}


class Ollama:
    """Has models installed, and some of them in memory; both may change."""

    def __init__(self, *installed: str, loaded: tuple[str, ...] = ()) -> None:
        self.installed = list(installed)
        self.loaded = list(loaded)

    def __call__(self, visit: Visit) -> None:
        """Answer a request."""
        pages: dict[str, bytes | Behaviour] = {
            "/": say(answer(b"Ollama is running")),
            "/api/version": json.dumps({"version": "0.5.1"}).encode(),
            "/api/tags": _list(self.installed, modified_at="2023-12-07T09:32:18.757212583-08:00"),
            "/api/ps": _list(
                self.loaded, expires_at="2024-06-04T14:38:31.83753-07:00", size_vram=5137025024
            ),
            "/v1/models": _openai(self.installed),
        }
        by_path(pages)(visit)


def _list(names: list[str], **more: object) -> bytes:
    models = [
        {"name": name, "model": name, "size": 5137025024, "digest": "2ae6", "details": _DETAILS}
        for name in names
    ]
    return json.dumps({"models": [model | more for model in models]}).encode()


def _openai(names: list[str]) -> bytes:
    data = [{"id": name, "object": "model", "created": 1, "owned_by": "library"} for name in names]
    return json.dumps({"object": "list", "data": data}).encode()
