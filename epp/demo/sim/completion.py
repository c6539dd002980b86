"""Sending an answer while its client is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from epp.demo.sim.answer import Answer, event
from epp.demo.sim.driver import Ticket
from epp.demo.sim.tokens import TOKEN_BYTES

EVENT_STREAM = (b"content-type", b"text/event-stream; charset=utf-8")


async def gone(receive: Receive) -> None:
    """Wait until the client closes its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def dawdle(receive: Receive, for_s: float | None) -> None:
    """Wait, for ever if None, but not for a client that has left."""
    with suppress(TimeoutError):
        async with asyncio.timeout(for_s):
            await gone(receive)


class Completion:
    """An ASGI response that sends tokens as they come, or all of them at the end.

    When the client goes away, the request is given up and its blocks are free for others.
    """

    def __init__(
        self,
        answer: Answer,
        ticket: Ticket,
        *,
        include_usage: bool,
        answered: Callable[[], None],
        script: str = "",
    ) -> None:
        self._answer = answer
        self._ticket = ticket
        self._include_usage = include_usage
        self._answered = answered
        self._script = script  # what is said instead of the engine's words

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._watch(receive))
            with self._ticket:
                await self._send(scope, receive, send)
            watch.cancel()
        if self._ticket.ended:
            self._answered()

    async def _watch(self, receive: Receive) -> None:
        await gone(receive)
        self._ticket.close()

    async def _said(self) -> AsyncIterator[tuple[str, str | None]]:
        """Yield the tokens' text, of the script if there is one, and why the last one is that."""
        left = self._script
        async for token in self._ticket.tokens():
            said = left if token.reason else left[:TOKEN_BYTES]
            yield (said if self._script else token.text), token.reason
            left = left[len(said) :]

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> None:
        text, reason = "", None
        async for said, ended in self._said():
            text, reason = text + said, ended
        whole = self._answer.complete(text, reason, self._ticket.job)
        response = Response(msgspec.json.encode(whole), media_type="application/json")
        await response(scope, receive, send)


class StreamedCompletion(Completion):
    """The same as server-sent events."""

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [EVENT_STREAM]})
        job = self._ticket.job
        chunks = self._answer.opening(job)
        async for text, reason in self._said():
            chunks += self._answer.delta(text, reason)
            for chunk in chunks:
                await send(_body(event(chunk)))
            chunks.clear()
        for chunk in self._answer.closing(job, include_usage=self._include_usage):
            await send(_body(event(chunk)))
        if self._answer.done:
            await send(_body(self._answer.done))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _body(data: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": True}
