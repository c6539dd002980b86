"""How many tokens a response took, in the words of every API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

_MAX_COUNT = 1 << 53  # the last integer that a float, and so a metric, holds exactly

_PROMPT = ("prompt_tokens", "input_tokens")
_COMPLETION = ("completion_tokens", "output_tokens")
_CACHE_READ = "cache_read_input_tokens"
_CACHE_CREATION = "cache_creation_input_tokens"
_TOTAL = "total_tokens"
_COUNTS = frozenset((*_PROMPT, *_COMPLETION, _CACHE_READ, _CACHE_CREATION, _TOTAL))
_DETAILS = {
    "prompt_tokens_details": ("cached_tokens", "cache_write_tokens"),
    "input_tokens_details": ("cached_tokens", "cache_write_tokens"),
    "completion_tokens_details": ("reasoning_tokens",),
    "output_tokens_details": ("reasoning_tokens",),
}


class Usage(msgspec.Struct, frozen=True):
    """The counts of one response; None where the server does not tell.

    `prompt_tokens` counts the whole prompt, as OpenAI does. Anthropic's `input_tokens` leave out
    what came from the cache or went into it; here it is added.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    cache_creation_tokens: int | None = None
    reasoning_tokens: int | None = None


def counts_in(usage: Any) -> dict[str, int]:
    """Return the counts that `usage` has, under the names that it uses."""
    if not isinstance(usage, dict):
        return {}
    found: dict[str, int] = {}
    for name, value in usage.items():
        if name in _COUNTS:
            if (count := _count(value)) is not None:
                found[name] = count
        elif isinstance(value, dict) and name in _DETAILS:
            for detail in _DETAILS[name]:
                if (count := _count(value.get(detail))) is not None:
                    found[detail] = count
    return found


def _count(value: Any) -> int | None:
    """Return `value` as a count; some servers send numbers as strings."""
    if type(value) is int and 0 <= value <= _MAX_COUNT:
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return int(value if isinstance(value, int) else number) if 0 <= number <= _MAX_COUNT else None


def usage_of(counts: Mapping[str, int]) -> Usage:
    """Return what counts under the names of any API come to."""
    read = counts.get(_CACHE_READ)
    created = counts.get(_CACHE_CREATION)
    prompt = counts.get("prompt_tokens")
    if prompt is None and "input_tokens" in counts:
        prompt = counts["input_tokens"] + (read or 0) + (created or 0)
    completion = counts.get("completion_tokens", counts.get("output_tokens"))
    total = counts.get(_TOTAL)
    if prompt is None and completion is None:
        prompt = total  # an API that generates nothing, such as reranking, may tell this alone
    if total is None and prompt is not None and completion is not None:
        total = prompt + completion
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=total,
        cached_tokens=counts.get("cached_tokens", read),
        cache_creation_tokens=counts.get("cache_write_tokens", created),
        reasoning_tokens=counts.get("reasoning_tokens"),
    )
