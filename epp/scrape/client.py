"""Asks one server for its pages, again and again."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine

from epp.scrape.connection import Connection
from epp.scrape.errors import ScrapeError
from epp.scrape.target import Target

Start = Callable[[Coroutine[None, None, None]], "asyncio.Task[None]"]


class Client:
    """Keeps the connection to the last target; `answered` gets each page, or why there is none.

    One deadline covers the whole exchange: connecting, the handshake, the question, the answer.
    Everything is a callback, as a task per scrape would cost as much as the scrape; only
    connecting, which is rare, is a task, made by `start`.
    """

    def __init__(
        self,
        answered: Callable[[bytes | ScrapeError], None],
        *,
        start: Start,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = 1.0,
        max_bytes: int = 1 << 20,
    ) -> None:
        self._answered = answered
        self._start = start
        self._tls = tls
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._connection: Connection | None = None
        self._target: Target | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._reused = False

    @property
    def busy(self) -> bool:
        """Whether a question is open."""
        return self._deadline is not None

    def ask(self, target: Target) -> None:
        """Ask for a page; not while `busy`. One at another place ends the connection."""
        if self._deadline is not None:
            raise RuntimeError("asked while a question is open")
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(self._timeout_s, self._expire)
        last, self._target = self._target, target
        connection = self._connection
        if connection is None or last is None or not connection.is_open:
            self._connect(target)
        elif last is target or last.is_beside(target):
            self._reused = True
            connection.ask(target.request)
        else:
            connection.abort()
            self._connect(target)

    def close(self) -> None:
        """Drop the connection and any open question; nothing more is answered."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        if self._connection is not None:
            self._connection.abort()
            self._connection = None

    def _connect(self, target: Target) -> None:
        self._reused = False
        self._connection = Connection(target.request, self._max_bytes, self._receive)
        self._connecting = self._start(self._open(self._connection, target))

    async def _open(self, connection: Connection, target: Target) -> None:
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: connection,
                target.host,
                target.port,
                ssl=self._tls if target.tls else None,
            )
        except ssl.SSLError as error:
            self._refuse(ScrapeError("tls", str(error)))
        except (OSError, UnicodeError) as error:  # UnicodeError: a host that is no host name
            self._refuse(ScrapeError("connect", str(error) or type(error).__name__))

    def _refuse(self, error: ScrapeError) -> None:
        self._connecting = None  # it is what calls, and ends by itself
        self._end(error)

    def _receive(self, result: bytes | ScrapeError | None) -> None:
        if result is not None:
            self._end(result)
        elif self._reused and self._target is not None:
            # The server closed the idle connection while the question was on its way.
            self._connect(self._target)
        else:
            self._end(ScrapeError("connect", "closed without an answer"))

    def _expire(self) -> None:
        self._end(ScrapeError("timeout", f"no answer within {self._timeout_s} s"))

    def _end(self, result: bytes | ScrapeError) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if isinstance(result, ScrapeError):
            self.close()
        self._answered(result)
