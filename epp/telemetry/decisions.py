"""The last decisions, and what led to each, in words."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from itertools import islice
from typing import Any

import msgspec

from epp.pool.endpoint import Endpoint
from epp.scheduling.decision import Column, Decision

Fact = str | int | float | bool | None


class Decided(msgspec.Struct, frozen=True, eq=False):
    """A decision and what is worth knowing of its request."""

    decision: Decision
    facts: Mapping[str, Fact]


class Decisions:
    """The last `capacity` decisions; 0 keeps none.

    Keeps what the scheduler made anyway: an entry costs the memory of its scores (about 30 bytes
    for each endpoint and scorer) and of what explains them, and time only when somebody asks.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._entries = deque[Decided](maxlen=capacity)

    def __repr__(self) -> str:
        return f"<Decisions {len(self._entries)} of {self.capacity}>"

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, decision: Decision, **facts: Fact) -> None:
        """Keep a decision with facts about its request: ids and sizes, never content."""
        if self.capacity:
            self._entries.append(Decided(decision, facts))

    def latest(self, count: int) -> list[Decided]:
        """Return up to `count` entries, newest first."""
        return list(islice(reversed(self._entries), count))


def explain(decision: Decision) -> dict[str, Any]:
    """Return all that led to `decision`, candidates by falling score, ready for JSON."""
    order = sorted(range(len(decision.candidates)), key=lambda i: -decision.totals[i])
    return {
        "sentence": sentence(decision),
        "profile": decision.profile,
        "picker": decision.picker,
        "picked": [endpoint.address for endpoint in decision.picked],
        "score": _round(decision.total_of(decision.winner)),
        "waited_ms": round(decision.waited_s * 1000, 1),
        "waited_for": decision.waited_for,
        "runner_up": _runner_up(decision),
        "filters": [
            {"filter": verdict.plugin, "dropped": list(verdict.dropped)}
            for verdict in decision.verdicts
        ],
        "candidates": [_candidate(decision, index) for index in order],
    }


def sentence(decision: Decision) -> str:
    """Say in one line who won, by what, and who came next."""
    winner = decision.winner
    row = decision.candidates.index(winner)
    terms = ", ".join(
        f"{column.plugin} {column.weight:g}x{column.raw[row]:.2f}{_basis(column, row)}"
        for column in decision.columns
    )
    scored = f"{winner.address} with {decision.totals[row]:.2f} ({terms or 'no scorers'})"
    return f"{scored}, {_next(decision)}{_waited(decision)}"


def _next(decision: Decision) -> str:
    if decision.runner_up is None:
        return "the only candidate"
    other, margin = decision.runner_up
    if margin < 0:
        return f"drawn by {decision.picker} before {_with_score(decision, other)}"
    return f"next {_with_score(decision, other)}"


def _waited(decision: Decision) -> str:
    if not decision.waited_s:
        return ""
    return f"; waited {decision.waited_s * 1000:.0f} ms ({decision.waited_for or 'its turn'})"


def _basis(column: Column, row: int) -> str:
    if column.details is None:
        return ""
    words = column.details.words(row)
    return f" {column.details.basis}{', ' if words else ''}{words}"


def _with_score(decision: Decision, endpoint: Endpoint) -> str:
    row = decision.candidates.index(endpoint)
    words = [column.details.words(row) for column in decision.columns if column.details]
    said = "; ".join(filter(None, words))
    return f"{endpoint.address} with {decision.totals[row]:.2f}{f' ({said})' if said else ''}"


def _runner_up(decision: Decision) -> dict[str, Any] | None:
    if decision.runner_up is None:
        return None
    endpoint, margin = decision.runner_up
    return {
        "address": endpoint.address,
        "score": _round(decision.total_of(endpoint)),
        "margin": _round(margin),
    }


def _candidate(decision: Decision, index: int) -> dict[str, Any]:
    endpoint = decision.candidates[index]
    return {
        "address": endpoint.address,
        "name": endpoint.name,
        "score": _round(decision.totals[index]),
        "scores": [
            {
                "scorer": column.plugin,
                "weight": column.weight,
                "raw": _round(column.raw[index]),
                "weighted": _round(column.weight * column.raw[index]),
                **_details(column, index),
            }
            for column in decision.columns
        ],
        "inputs": _inputs(endpoint, decision.at),
    }


def _details(column: Column, index: int) -> dict[str, Any]:
    """Return how a scorer came to its number, where it tells."""
    if column.details is None:
        return {}
    terms = column.details.terms(index)
    return {
        "basis": column.details.basis,
        "terms": {name: float(f"{value:.6g}") for name, value in terms.items()},
    }


def _inputs(endpoint: Endpoint, at: float) -> dict[str, Any] | None:
    load = endpoint.load
    if load is None:
        return None
    memory = {} if load.loaded is None else {"loaded": sorted(load.loaded)}
    return {
        "engine": load.engine,
        "waiting": load.waiting,
        "waiting_is_ours": load.waiting_is_ours,
        "running": load.running,
        "kv_cache_usage": load.kv_cache_usage,
        "age_ms": round(load.age(at) * 1000, 1),
        **memory,
    }


def _round(score: float) -> float:
    return round(score, 4)
