"""A server on loopback that keeps what it was asked and answers what it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias, TypeVar

from epp.openai.request import Invalid, Request, parse, request_path

Answer: TypeAlias = tuple[int, str, bytes]  # status, content type, body


class Server(ThreadingHTTPServer):
    """Answers every POST with `status` and `body`."""

    status = 200
    content_type = "application/json"
    body = b"{}"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.read: list[Request | Invalid] = []

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Return what a POST is answered."""
        read = parse(request_path({":path": path}), headers.get("content-type", ""), body)
        self.read.append(read)
        return self.status, self.content_type, self.body

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


Kind = TypeVar("Kind", bound=Server)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, content_type, answer = server.answer(self.path, headers, body)
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name it has
        """Say nothing."""


@contextmanager
def serve(server: Kind) -> Iterator[Kind]:
    """Serve until the block ends."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
