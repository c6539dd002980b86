"""One connection to a metrics server: a question, its answer, the next question."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from epp.scrape.answer import Answer
from epp.scrape.errors import ScrapeError


class Connection(asyncio.Protocol):
    """Carries one question at a time, `request` as soon as it is made.

    `answered` gets the page or what went wrong; None if the connection ended before the first
    byte of an answer, as happens when a server closes an idle connection in the moment in which
    the next question leaves.
    """

    def __init__(
        self,
        request: bytes,
        max_bytes: int,
        answered: Callable[[bytes | ScrapeError | None], None],
    ) -> None:
        self._request = request
        self._answer = Answer(max_bytes)
        self._answered = answered
        self._transport: asyncio.Transport | None = None
        self._asked = False
        self._aborted = False

    @property
    def is_open(self) -> bool:
        """Whether it can carry a question."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, request: bytes) -> None:
        """Send a question; only while `is_open`, and not while one is open."""
        if self._transport is None:
            raise RuntimeError("asked on a closed connection")
        self._asked = True
        self._answer.begin()
        self._transport.write(request)

    def abort(self) -> None:
        """Close at once; an open question gets no answer."""
        self._asked = False
        self._aborted = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask, unless the deadline has passed meanwhile."""
        self._transport = cast("asyncio.Transport", transport)
        if self._aborted:
            self._transport.abort()
        else:
            self.ask(self._request)

    def data_received(self, data: bytes) -> None:
        """Take a part of the answer; what nobody asked for ends the connection."""
        if not self._asked:
            self.abort()
            return
        try:
            page = self._answer.feed(data)
        except ScrapeError as error:
            self._end(error)
        else:
            if page is not None:
                self._end(page)

    def eof_received(self) -> None:
        """Take the server's end of the connection."""
        if self._asked and self._answer.begun:
            try:
                self._end(self._answer.end())
            except ScrapeError as error:
                self._end(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever still waits for an answer."""
        self._transport = None
        if not self._asked:
            return
        self._asked = False
        if self._answer.begun:
            self._answered(ScrapeError("malformed", f"cut short: {exc or 'connection closed'}"))
        else:
            self._answered(None)

    def _end(self, result: bytes | ScrapeError) -> None:
        self._asked = False
        if isinstance(result, ScrapeError) or not self._answer.reusable:
            self.abort()
        self._answered(result)
