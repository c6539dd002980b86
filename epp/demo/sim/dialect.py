"""What a replica shows of itself beside OpenAI's API: what vLLM, Ollama or llama.cpp would show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from epp.demo.sim.engine import Engine
from epp.demo.sim.memory import ModelMemory

Dialect: TypeAlias = Literal["vllm", "ollama", "llama.cpp"]
TITLES: dict[Dialect, str] = {"vllm": "vLLM", "ollama": "Ollama", "llama.cpp": "llama.cpp"}

_LLAMA_CPP = """\
# HELP llamacpp:requests_processing Number of requests processing
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing {running}
# HELP llamacpp:requests_deferred Number of requests deferred
# TYPE llamacpp:requests_deferred gauge
llamacpp:requests_deferred {waiting}
"""


_MODEL_BYTES = 5_137_025_024
_EXPIRES_AT = "2318-09-24T00:00:00Z"  # as after `keep_alive: -1`: nothing ends by time here


def dialect(name: str) -> Dialect:
    """Return `name` as a dialect; ValueError if it is none."""
    for known in TITLES:
        if name == known:
            return known
    raise ValueError(f"engine: {name!r} is none of {', '.join(TITLES)}")


class Facts:
    """What the pages of a dialect tell: the engine's state and the names of its models."""

    def __init__(
        self, engine: Engine, models: tuple[str, ...], slots: int, memory: ModelMemory
    ) -> None:
        self._engine = engine
        self._models = models
        self._slots = slots
        self._memory = memory

    def llama_cpp_metrics(self) -> str:
        """Return llama.cpp's metrics page."""
        running, waiting = len(self._engine.running), len(self._engine.waiting)
        return _LLAMA_CPP.format(running=running, waiting=waiting)

    def slots(self) -> object:
        """Return llama.cpp's slots: those at work first."""
        running = len(self._engine.running)
        return [{"id": i, "is_processing": i < running} for i in range(self._slots)]

    def tags(self) -> object:
        """Return Ollama's list of models."""
        return {"models": [_entry(name) for name in self._models]}

    def ps(self) -> object:
        """Return those of them that are in memory, the one that stays longest first."""
        lasting = {"size_vram": _MODEL_BYTES, "expires_at": _EXPIRES_AT}
        return {"models": [_entry(name) | lasting for name in reversed(self._memory.loaded)]}

    def version(self) -> object:
        """Return Ollama's version."""
        return {"version": "0.0.0-simulated"}


def _entry(name: str) -> dict[str, object]:
    details = {"format": "gguf", "family": "llama", "parameter_size": "8.0B"}
    return {"name": name, "model": name, "size": _MODEL_BYTES, "digest": "", "details": details}


def pages(dialect: Dialect, facts: Facts) -> dict[str, Callable[[], object]]:
    """Return what is at each path in JSON."""
    if dialect == "ollama":
        return {"/api/tags": facts.tags, "/api/ps": facts.ps, "/api/version": facts.version}
    return {"/slots": facts.slots} if dialect == "llama.cpp" else {}
