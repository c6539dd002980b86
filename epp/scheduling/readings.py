"""What the endpoints say of themselves, as far as it can be believed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import fsum
from typing import TypeVar

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.scheduling.query import Query

T = TypeVar("T")


def readings(
    query: Query, endpoints: Sequence[Endpoint], metric: Callable[[Load], T | None]
) -> list[T | None]:
    """Return one metric of each endpoint; None: it is unknown, which is not the same as idle."""
    now, max_age_s = query.now, query.max_load_age_s
    # As `Endpoint.fresh_load` has it, written out: this is asked for each metric of each endpoint.
    return [
        None if (load := e.load) is None or now - load.at > max_age_s else metric(load)
        for e in endpoints
    ]


def neutral(
    query: Query, endpoints: Sequence[Endpoint], scores: Sequence[float | None]
) -> list[float]:
    """Return `scores` without gaps: 0 where the load is unknown, and where a server does not tell
    this one metric (many engines have none) the mean of the others', for nothing speaks against it.
    """
    known = [score for score in scores if score is not None]
    if len(known) == len(scores):
        return known
    # Exact, so that equal endpoints score alike in whatever order they come.
    usual = fsum(known) / len(known) if known else 0.5
    now, max_age_s = query.now, query.max_load_age_s
    return [
        score if score is not None else 0.0 if e.fresh_load(now, max_age_s) is None else usual
        for e, score in zip(endpoints, scores, strict=True)
    ]


def free_kv_cache(query: Query, endpoints: Sequence[Endpoint]) -> list[float]:
    """Return the share of each KV cache that is free, `neutral` where it is not known."""
    used = readings(query, endpoints, lambda load: load.kv_cache_usage)
    free = [
        None if share is None else 0.0 if share >= 1.0 else 1.0 - share if share > 0.0 else 1.0
        for share in used
    ]
    return neutral(query, endpoints, free)


def fewest_best(counts: Sequence[int | None]) -> list[float]:
    """Return 1 for the lowest count, 0 for the highest and for an unknown one."""
    known = [count for count in counts if count is not None]
    if not known:
        return [0.0] * len(counts)
    highest = max(known)
    span = highest - min(known)
    if span == 0:
        return [0.0 if count is None else 1.0 for count in counts]
    return [0.0 if count is None else (highest - count) / span for count in counts]
