"""Small values for tests of the scheduler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from epp.pool.endpoint import Endpoint
from epp.pool.load import Load
from epp.scheduling.decision import Decision
from epp.scheduling.query import Query

NOW = 1000.0


def endpoint(number: int, **load: Any) -> Endpoint:
    """Return endpoint 10.0.0.<number>:8000 with a fresh load of these metrics."""
    return Endpoint(
        f"10.0.0.{number}:8000", name=f"pod-{number}", generation=1, load=Load(at=NOW, **load)
    )


def unknown(number: int) -> Endpoint:
    """Return an endpoint that has never answered."""
    return Endpoint(f"10.0.0.{number}:8000", name=f"pod-{number}", generation=1)


def stale(number: int, **load: Any) -> Endpoint:
    """Return an endpoint whose last answer is too old."""
    return Endpoint(f"10.0.0.{number}:8000", generation=1, load=Load(at=NOW - 60.0, **load))


def query(prompt: str = "", *, now: float = NOW, model: str = "llama", **rest: Any) -> Query:
    """Return a query of now."""
    return Query(model=model, prompt=prompt, now=now, **rest)


def decision(winner: Endpoint, candidates: Sequence[Endpoint] = ()) -> Decision:
    """Return a decision for `winner`."""
    return Decision(NOW, "default", (winner,), tuple(candidates) or (winner,))


class Unexplained:
    """Details that say nothing."""

    basis = ""

    def terms(self, index: int) -> Mapping[str, float]:
        return {}

    def words(self, index: int) -> str:
        return ""
