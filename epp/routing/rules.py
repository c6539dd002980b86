"""What the owners of a pool have laid down for its requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Rules(Protocol):
    """Priorities and model rewrites; they may change from one request to the next."""

    def priority(self, objective: str) -> int:
        """Return the priority of an objective; 0 for one that nobody has laid down."""
        ...

    def target(self, model: str, conversation: Callable[[], str]) -> str | None:
        """Return the model that serves requests for `model`; None: itself.

        Requests of one conversation always get the same; `conversation` tells it from others, and
        is asked only where there is a choice.
        """
        ...

    def knows(self, model: str) -> bool:
        """Tell whether something is laid down about `model` by its name."""
        ...


class NoRules:
    """Nothing is laid down."""

    def priority(self, objective: str) -> int:
        """Treat all alike."""
        return 0

    def target(self, model: str, conversation: Callable[[], str]) -> str | None:
        """Leave the model as it is."""
        return None

    def knows(self, model: str) -> bool:
        """Know none."""
        return False
