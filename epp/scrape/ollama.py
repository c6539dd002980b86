"""Ollama's `/api/ps`: which models are in memory. It tells nothing of queues."""

from __future__ import annotations

from epp.pool.load import Load
from epp.scrape.models import read_ollama_models


class OllamaReader:
    """Reads the models in memory; an equal page means what it meant before."""

    tells_waiting = False

    def __init__(self) -> None:
        self._page: bytes | None = None
        self._loaded: frozenset[str] = frozenset()

    def read(self, page: bytes, at: float) -> Load:
        """Return a load that has `loaded` only."""
        if page != self._page:
            self._loaded = read_ollama_models(page)
            self._page = page
        return Load(at, loaded=self._loaded)
