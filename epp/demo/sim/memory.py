"""The models that a server has in memory, where it serves more than fit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence


class ModelMemory:
    """Loads a model when it is asked for; the one that was asked for longest ago makes room.

    As Ollama does, with `OLLAMA_MAX_LOADED_MODELS`. Where all fit, all are there from the start.
    """

    def __init__(
        self,
        models: Sequence[str],
        most: int,
        load_s: float,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._models = frozenset(models)
        self._most = most or len(models)
        self._load_s = load_s
        self._sleep = sleep
        self._loaded: dict[str, None] = dict.fromkeys(models if self._most >= len(models) else ())
        self._loading: dict[str, asyncio.Event] = {}

    def __repr__(self) -> str:
        return f"<ModelMemory {', '.join(self._loaded)}>"

    @property
    def loaded(self) -> tuple[str, ...]:
        """The models that are there, the one asked for last at the end."""
        return tuple(self._loaded)

    async def hold(self, model: str) -> None:
        """Return when a model is there; a name that is not served is not waited for."""
        while model in self._loading:  # again: who loaded it may have been cancelled
            await self._loading[model].wait()
        if model in self._loaded:
            self._loaded[model] = self._loaded.pop(model)
        elif model in self._models:
            await self._load(model)

    async def _load(self, model: str) -> None:
        done = self._loading[model] = asyncio.Event()
        try:
            while self._loaded and len(self._loaded) + len(self._loading) > self._most:
                del self._loaded[next(iter(self._loaded))]
            await self._sleep(self._load_s)
            self._loaded[model] = None
            while len(self._loaded) > self._most:  # several were loaded at once
                del self._loaded[next(iter(self._loaded))]
        finally:
            del self._loading[model]
            done.set()
