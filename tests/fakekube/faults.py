"""Everything that an API server, or the way to it, does to a client.

A fault is used as `async with fault(kube): ...`; or `begin(kube)` and, later, `end()` on what it
returns. While it lasts the server misbehaves, from its end on it is itself again. What a test
changes at the beginning of the block, before it awaits, is changed behind the back of a client:
no fault gives the client a turn before that. A client with its list and watch open must see, some
time after the end, exactly what `kube.objects` returns.

Some faults touch an object of each watch that is open (`split-lines`, `long-line`, `next-line`:
an annotation), so there should be one that stays.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from tests.fakekube.kube import FakeKube

Breaks = Callable[[FakeKube], AsyncIterator[None]]


class Fault:
    """One way to break; its name and what happens."""

    def __init__(self, breaks: Breaks) -> None:
        self.name = breaks.__name__.replace("_", "-")
        self.happens = breaks.__doc__ or ""
        self._during = asynccontextmanager(breaks)

    def __repr__(self) -> str:
        return self.name

    def __call__(self, kube: FakeKube) -> AbstractAsyncContextManager[None]:
        """Be in this fault while the context lasts."""
        return self._during(kube)


FAULTS: list[Fault] = []


def fault(breaks: Breaks) -> Fault:
    FAULTS.append(Fault(breaks))
    return FAULTS[-1]


# --- watches that end -------------------------------------------------------------------------


@fault
async def clean_close(kube: FakeKube) -> AsyncIterator[None]:
    """Every watch ends as by its timeout."""
    _finish_watches(kube)
    yield


@fault
async def every_watch_closes(kube: FakeKube) -> AsyncIterator[None]:
    """Every watch ends as soon as it has begun, without an event."""
    _finish_watches(kube)
    with _watches_are_empty(kube, lambda _: True):
        yield


@fault
async def reset(kube: FakeKube) -> AsyncIterator[None]:
    """Every connection ends by TCP RST."""
    _reset_connections(kube)
    yield
