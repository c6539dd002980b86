"""Requests for tests."""

from __future__ import annotations

from benchmarks.routing.trace import Request


def request(
    number: int, tokens: int, output: int = 1, *, at: float = 0.0, prompt: int | None = None
) -> Request:
    """Return a request; those with the same `prompt` begin alike."""
    name = number if prompt is None else prompt
    ids = tuple(1000 * name + n for n in range(-(-tokens // 512)))
    return Request(number, at, tokens, output, ids)
