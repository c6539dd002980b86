"""What the other pickers have in common: their own books of what they sent where."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

import msgspec

from benchmarks.routing.pod import Reading
from benchmarks.routing.policies.policy import End
from benchmarks.routing.policies.prefixes import Prefixes
from benchmarks.routing.trace import Request


class Flight(msgspec.Struct):
    """A request under way."""

    pod: int
    tokens: int
    uncached: int  # tokens of its prompt that its pod has to compute
    answered: bool = False


class Books:
    """The requests under way at one pod."""

    __slots__ = ("queued_tokens", "requests", "tokens")

    def __init__(self) -> None:
        self.requests = 0
        self.tokens = 0  # of all prompts
        self.queued_tokens = 0  # to compute before the first token


class Rival(ABC):
    """A policy that decides by its books, its own index of prefixes, and metrics.

    `choose` is what differs; it gets the request and the pods.
    """

    def __init__(self, rng: random.Random, prefixes: Prefixes | None = None) -> None:
        self.rng = rng
        self.prefixes = prefixes or Prefixes(0)
        self.books: dict[int, Books] = {}
        self.readings: dict[int, Reading] = {}
        self._flights: dict[int, Flight] = {}

    @abstractmethod
    def choose(self, request: Request, pods: list[int]) -> int:
        """Choose one of `pods`."""

    def join(self, pod: int) -> None:
        """Open the books of a pod."""
        self.books[pod] = Books()

    def leave(self, pod: int) -> None:
        """Close them."""
        self.books.pop(pod, None)
        self.readings.pop(pod, None)
        self.prefixes.drop(pod)

    def report(self, pod: int, reading: Reading) -> None:
        """Keep the last reading."""
        self.readings[pod] = reading

    def pick(self, request: Request, now: float) -> int:
        """Choose, and enter it in the books."""
        pod = self.choose(request, list(self.books))
        uncached = self.uncached(request, pod)
        self._flights[request.number] = Flight(pod, request.input_tokens, uncached)
        books = self.books[pod]
        books.requests += 1
        books.tokens += request.input_tokens
        books.queued_tokens += uncached
        self.prefixes.insert(pod, request.ids)
        return pod

    def first_token(self, request: Request, now: float) -> None:
        """Take its prompt out of the queue."""
        flight = self._flights[request.number]
        if not flight.answered and flight.pod in self.books:
            self.books[flight.pod].queued_tokens -= flight.uncached
        flight.answered = True

    def end(self, request: Request, end: End, now: float) -> None:
        """Take the request out."""
        self.first_token(request, now)
        flight = self._flights.pop(request.number)
        if flight.pod in self.books:
            self.books[flight.pod].requests -= 1
            self.books[flight.pod].tokens -= flight.tokens

    def uncached(self, request: Request, pod: int) -> int:
        """Return the tokens of the prompt that the pod would have to compute."""
        return max(1, request.input_tokens - self.prefixes.tokens(pod, request.ids))

    def least(self, pods: Iterable[int], cost: Callable[[int], float]) -> int:
        """Return the pod of the least cost; among equals, chance decides."""
        costs = {pod: cost(pod) for pod in pods}
        lowest = min(costs.values())
        return self.rng.choice([pod for pod, value in costs.items() if value == lowest])

    def fewest(self, pods: Iterable[int]) -> int:
        """Return the pod with the fewest requests under way."""
        return self.least(pods, lambda pod: self.books[pod].requests)
