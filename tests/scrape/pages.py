"""Pages for the tests: those of a real server, and small ones."""

from __future__ import annotations

from pathlib import Path

_DATA = Path(__file__).parents[1] / "data"
_REAL = _DATA / "vllm-0.32.0"


def real(state: str) -> bytes:
    """Return the page of a real vLLM that was "idle", "busy" or "queued"."""
    return (_REAL / f"metrics-{state}.txt").read_bytes()


def llama_cpp(name: str) -> bytes:
    """Return a page of a real llama.cpp server, by its file's name."""
    return (_DATA / "llama.cpp-0.5.0-dev" / name).read_bytes()


def small(*, waiting: object = 0, running: object = 0, usage: object = 0.0) -> bytes:
    """Return the least that a vLLM can say."""
    lines = [
        "# TYPE vllm:num_requests_running gauge",
        f'vllm:num_requests_running{{engine="0"}} {running}',
        "# TYPE vllm:num_requests_waiting gauge",
        f'vllm:num_requests_waiting{{engine="0"}} {waiting}',
        "# TYPE vllm:kv_cache_usage_perc gauge",
        f'vllm:kv_cache_usage_perc{{engine="0"}} {usage}',
        "",
    ]
    return "\n".join(lines).encode()
