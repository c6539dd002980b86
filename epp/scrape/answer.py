"""The answers that arrive on one connection, one at a time; no I/O."""

from __future__ import annotations

import zlib

import httptools

from epp.scrape.errors import ScrapeError

_MAX_HEAD_BYTES = 65_536
_GZIP = 16 + zlib.MAX_WBITS


class Answer:
    """Turns the bytes of one connection into pages; every method may raise ScrapeError.

    `max_bytes` bounds a page as it arrives, framing included, and again after inflating. Anything
    but a 200 is an error as soon as its head is read, which also means that no redirect is
    followed. After an error, or when `reusable` is false, the connection is of no further use.
    """

    def __init__(self, max_bytes: int) -> None:
        self.reusable = True
        self._max_bytes = max_bytes
        self._parser = httptools.HttpResponseParser(self)
        self.begin()

    def begin(self) -> None:
        """Expect the next answer."""
        self._received = 0
        self._status = 0
        self._complete = False
        self._framed = False
        self._encoding = b""
        self._body: list[bytes] = []

    @property
    def begun(self) -> bool:
        """Whether a byte of this answer has arrived."""
        return self._received > 0

    def feed(self, data: bytes) -> bytes | None:
        """Take what arrived; returns the page once it is whole."""
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.reusable = False
            if not self._complete:
                raise ScrapeError("malformed", str(error)) from error
        if self._status not in {0, 200}:
            raise ScrapeError("status", str(self._status))
        limit = _MAX_HEAD_BYTES + (self._max_bytes if self._status else 0)
        if self._received > limit:
            raise ScrapeError("too-large", f"more than {limit} bytes")
        return self._page() if self._complete else None

    def end(self) -> bytes:
        """Take the end of the connection, which ends a page that did not tell its length."""
        self.reusable = False
        if not self._status or self._framed:
            raise ScrapeError("malformed", "the connection ended within the answer")
        return self._page()

    def _page(self) -> bytes:
        body = b"".join(self._body)
        if self._encoding in {b"", b"identity"}:
            return body
        if self._encoding not in {b"gzip", b"x-gzip"}:
            raise ScrapeError("encoding", repr(self._encoding))
        return self._inflated(body)

    def _inflated(self, body: bytes) -> bytes:
        inflate = zlib.decompressobj(_GZIP)
        try:
            page = inflate.decompress(body, self._max_bytes + 1)
        except zlib.error as error:
            raise ScrapeError("malformed", str(error)) from error
        if len(page) > self._max_bytes:
            raise ScrapeError("too-large", f"inflates to more than {self._max_bytes} bytes")
        if not inflate.eof:
            raise ScrapeError("malformed", "the compressed page is cut short")
        return page

    # What httptools calls.

    def on_message_begin(self) -> None:
        """Stop the parser at a second answer: nobody asked for one."""
        if self._complete:
            raise ScrapeError("malformed", "an answer without a question")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note how the body is framed and encoded."""
        name = name.lower()
        if name in {b"content-length", b"transfer-encoding"}:
            self._framed = True
        elif name == b"content-encoding":
            self._encoding = value.strip().lower()

    def on_headers_complete(self) -> None:
        """Note the status, unless it is an interim one (103 Early Hints)."""
        status = self._parser.get_status_code()
        if status >= 200:
            self._status = status

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """End the answer, or the interim one before it."""
        if self._status:
            self._complete = True
            self.reusable = self._parser.should_keep_alive()
