"""One connection: requests off the wire, answers and endless lines onto it."""

from __future__ import annotations

import asyncio
import http
import socket
import struct
from collections.abc import Callable, Mapping
from typing import NamedTuple, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import httptools

from tests.fakekube.answer import Answer

_NO_LINGER = struct.pack("ii", 1, 0)  # close() then sends RST


class Request(NamedTuple):
    """What a client asked, and when (of the loop's clock)."""

    method: str
    path: str
    params: Mapping[str, str]
    at: float
    headers: Mapping[str, str]
    body: bytes


class Connection(asyncio.Protocol):
    """`serve` is called at each request and answers by one of the methods below."""

    def __init__(
        self, serve: Callable[[Connection, Request], None], known: set[Connection]
    ) -> None:
        self._serve = serve
        self._known = known
        self._parser = httptools.HttpRequestParser(self)
        self.transport: asyncio.Transport
        self.lost: list[Callable[[], None]] = []  # to be called when it is over
        self.mute = False
        self.piece_bytes = 0  # write lines in pieces of this size

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._known.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._known.discard(self)
        for call in self.lost:
            call()

    def data_received(self, data: bytes) -> None:
        if not self.mute:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserCallbackError:
                raise  # a bug of this server: the loop reports it and ends the connection
            except httptools.HttpParserError:
                self.transport.abort()

    # --- httptools calls these -------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._url, self._headers, self._body = b"", dict[str, str](), b""

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode().lower()] = value.decode()

    def on_headers_complete(self) -> None:
        if self._headers.get("expect") == "100-continue":
            self._write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        url = urlsplit(self._url.decode())
        params = dict(parse_qsl(url.query, keep_blank_values=True))
        method = self._parser.get_method().decode()
        at = asyncio.get_running_loop().time()
        request = Request(method, unquote(url.path), params, at, self._headers, self._body)
        self._serve(self, request)

    # --- answers ---------------------------------------------------------------------------

    def answer(self, answer: Answer) -> None:
        lengths = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body))}
        self._write(_head(answer.status, {**lengths, **answer.headers}) + answer.body)

    def begin_lines(self) -> None:
        headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
        self._write(_head(200, headers))

    def line(self, line: bytes) -> None:
        """Write part of the endless answer."""
        size = self.piece_bytes or len(line)
        for start in range(0, len(line), size):
            piece = line[start : start + size]
            self._write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def end_lines(self) -> None:
        self._write(b"0\r\n\r\n")

    # --- rough ends ------------------------------------------------------------------------

    def cut_chunk(self, line: bytes) -> None:
        """Announce a chunk, write less and close."""
        self._write(b"%x\r\n%b" % (2 * len(line), line))
        self.close()

    def close(self) -> None:
        """Close after what is written (FIN)."""
        self.transport.close()

    def reset(self) -> None:
        """Close at once (RST)."""
        raw = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()

    def _write(self, data: bytes) -> None:
        if not self.mute and not self.transport.is_closing():
            self.transport.write(data)


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()
