"""Runs many cases, on as many cores as allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from benchmarks.routing.trace import Trace

T = TypeVar("T")
R = TypeVar("R")

_traces: list[Trace] = []  # of a worker process: the trace is sent once, not with every case


class Workers:
    """`jobs` processes that know the trace; with one, this process does it all."""

    def __init__(self, trace: Trace, jobs: int) -> None:
        self._trace = trace
        self._jobs = jobs

    def map(self, work: Callable[[T, Trace], R], items: Sequence[T]) -> Iterator[R]:
        """Return the results in the order of the items; `work` is a function of a module."""
        if self._jobs == 1:
            yield from (work(item, self._trace) for item in items)
            return
        with ProcessPoolExecutor(self._jobs, initializer=_know, initargs=(self._trace,)) as pool:
            yield from pool.map(_do, [work] * len(items), items)


def _know(trace: Trace) -> None:
    _traces[:] = [trace]


def _do(work: Callable[[T, Trace], R], item: T) -> R:
    return work(item, _traces[0])
