"""Everything that an API server, or the way to it, does to a client.

`FAULTS` has them all; `async with fault(kube): ...` puts a server into one. What a test changes in
the block before it awaits anything is changed behind the back of a client: no fault gives the
client a turn before that. A client that has listed and has its watch open must see, some time
after the end, exactly what `kube.objects` returns.

A fault strikes at the beginning of the block and is over when the client has met it: a broken
connection, a revision that is too old, two answers that are refusals. Only those in `LASTING` last
to the end of the block, so a test has to wait in there; `split-lines` does too, but needs no wait.

Some faults touch an object of each watch that is open (`split-lines`, `long-line`, `next-line`:
an annotation), so there should be one that stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Literal

from tests.fakekube.answer import Answer, Refusal
from tests.fakekube.connection import Connection, Request
from tests.fakekube.kube import FakeKube
from tests.fakekube.target import is_set
from tests.fakekube.watch import Watch, line

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


# --- watches that end --------------------------------------------------------------------------


@fault
async def clean_close(kube: FakeKube) -> AsyncIterator[None]:
    """Every watch ends as by its timeout."""
    _finish_watches(kube)
    yield


@fault
async def every_watch_closes(kube: FakeKube) -> AsyncIterator[None]:
    """Every watch ends as soon as it has begun, without an event."""

    def serve(connection: Connection, request: Request) -> None:
        if is_set(request, "watch"):
            connection.begin_lines()
            connection.end_lines()
        else:
            kube.api.serve(connection, request)

    kube.serve = serve
    _finish_watches(kube)
    yield
    kube.serve = kube.api.serve


@fault
async def reset(kube: FakeKube) -> AsyncIterator[None]:
    """Every connection ends by TCP RST."""
    _reset_connections(kube)
    yield


@fault
async def fin_mid_chunk(kube: FakeKube) -> AsyncIterator[None]:
    """Every watch's connection ends within a chunk."""
    for watch in tuple(kube.watches):
        watch.connection.cut_chunk(_half_a_line(watch))
        watch.forget()
    yield


@fault
async def half_line_fin(kube: FakeKube) -> AsyncIterator[None]:
    """Every watch's connection ends behind a whole chunk that is half a line."""
    for watch in tuple(kube.watches):
        watch.connection.line(_half_a_line(watch))
        watch.connection.close()
        watch.forget()
    yield


@fault
async def half_line_clean_end(kube: FakeKube) -> AsyncIterator[None]:
    """Every watch's answer ends as it should, but behind half a line."""
    for watch in tuple(kube.watches):
        watch.connection.line(_half_a_line(watch))
        watch.finish()
    yield


# --- lines that are hard to read ----------------------------------------------------------------


@fault
async def split_lines(kube: FakeKube) -> AsyncIterator[None]:
    """Lines come in chunks of three bytes, which cut characters of UTF-8 apart."""
    _cut_lines(kube, 3)
    _annotate(kube, "größer, 模型, 🚀")
    yield
    _cut_lines(kube, 0)


@fault
async def long_line(kube: FakeKube) -> AsyncIterator[None]:
    """An event is one line of 3 MB."""
    _annotate(kube, "x" * 3_000_000)
    yield


@fault
async def next_line(kube: FakeKube) -> AsyncIterator[None]:
    """An annotation has a U+0085, which is no end of a line, but taken for one by some."""
    _annotate(kube, "before\u0085after")
    yield


# --- revisions that are too old -----------------------------------------------------------------


@fault
async def gone_event(kube: FakeKube) -> AsyncIterator[None]:
    """The history is gone: a watch from an old revision gets 410 as an ERROR event."""
    _expire(kube, "event")
    yield


@fault
async def gone_status(kube: FakeKube) -> AsyncIterator[None]:
    """The history is gone: a watch from an old revision gets 410 as HTTP status."""
    _expire(kube, "status")
    yield


@fault
async def quick_closes(kube: FakeKube) -> AsyncIterator[None]:
    """The history is gone: a watch from an old revision ends at once, without a word of why."""
    _expire(kube, "close")
    yield


@fault
async def bookmark(kube: FakeKube) -> AsyncIterator[None]:
    """A bookmark comes, the history before it is gone, and every watch ends."""
    kube.compact()
    kube.bookmark()
    _finish_watches(kube)
    yield


# --- servers that are not well ------------------------------------------------------------------


@fault
async def too_many_requests(kube: FakeKube) -> AsyncIterator[None]:
    """Every watch ends, and each path answers 429 with Retry-After twice."""
    busy = Refusal(429, "the server has received too many requests").answer
    _refuse(kube, Answer(busy.status, busy.body, headers={"Retry-After": "1"}))
    yield


@fault
async def internal_error(kube: FakeKube) -> AsyncIterator[None]:
    """Every watch ends, and each path answers 500 with a Status twice."""
    _refuse(kube, Refusal(500, "Internal error occurred: etcdserver: no leader").answer)
    yield


@fault
async def unavailable_text(kube: FakeKube) -> AsyncIterator[None]:
    """Every watch ends, and each path answers 503 with plain text twice."""
    _refuse(kube, Answer(503, b"upstream connect error\n", "text/plain"))
    yield


@fault
async def unavailable_empty(kube: FakeKube) -> AsyncIterator[None]:
    """Every watch ends, and each path answers 503 without a body twice."""
    _refuse(kube, Answer(503))
    yield


@fault
async def reset_then_refused(kube: FakeKube) -> AsyncIterator[None]:
    """Every connection ends by TCP RST, and connections are refused to the end of the fault."""
    kube.stop_listening()
    _reset_connections(kube)
    yield
    await kube.listen()


@fault
async def silence(kube: FakeKube) -> AsyncIterator[None]:
    """The connections that are open stay so, but nothing comes any more; new ones work."""
    for connection in kube.connections:
        connection.mute = True
    yield


@fault
async def token_revoked(kube: FakeKube) -> AsyncIterator[None]:
    """The token is not valid any more, its file has another, and every watch ends."""
    kube.replace_token(f"next-{kube.token}")
    _finish_watches(kube)
    yield


LASTING = [every_watch_closes, reset_then_refused]


# --- what they are made of ----------------------------------------------------------------------


def _finish_watches(kube: FakeKube) -> None:
    for watch in tuple(kube.watches):
        watch.finish()


def _reset_connections(kube: FakeKube) -> None:
    for connection in tuple(kube.connections):
        connection.reset()


def _half_a_line(watch: Watch) -> bytes:
    obj = next(iter(watch.objects), {"metadata": {"name": "nobody"}})
    whole = line("MODIFIED", obj)
    return whole[: len(whole) // 2]


def _annotate(kube: FakeKube, text: str) -> None:
    """Change one object of each watch."""
    last = {watch.kind: watch.objects[-1] for watch in kube.watches if watch.objects}
    for kind, obj in last.items():
        notes = {**obj["metadata"].get("annotations", {}), "fakekube/note": text}
        kube.store.put(kind, {**obj, "metadata": {**obj["metadata"], "annotations": notes}})


def _cut_lines(kube: FakeKube, piece_bytes: int) -> None:
    kube.piece_bytes = piece_bytes
    for connection in kube.connections:
        connection.piece_bytes = piece_bytes


def _expire(kube: FakeKube, form: Literal["event", "status", "close"]) -> None:
    kube.api.expired_as = form
    kube.compact()
    _finish_watches(kube)


def _refuse(kube: FakeKube, answer: Answer, times: int = 2) -> None:
    asked = Counter[str]()

    def serve(connection: Connection, request: Request) -> None:
        asked[request.path] += 1
        if asked[request.path] > times:
            kube.api.serve(connection, request)
        else:
            connection.answer(answer)

    kube.serve = serve
    _finish_watches(kube)
