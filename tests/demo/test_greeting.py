"""What `epp run` says can be copied and works."""

from __future__ import annotations

import json
import shlex
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from epp.demo.greeting import first_model, text, url


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    """A server that answers one request, whatever it is."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + body)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield url(*listener.getsockname())
        thread.join(5)


def test_the_model_is_the_first_that_is_served() -> None:
    models = {"object": "list", "data": [{"id": "llama", "owned_by": "x"}, {"id": "other"}]}

    with answering(json.dumps(models).encode()) as server:
        assert first_model(server) == "llama"


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"data": []}', b'{"data": [{"id": 1}]}', b""])
def test_a_server_with_another_answer_names_no_model(body: bytes) -> None:
    with answering(body) as server:
        assert first_model(server) is None


def test_a_server_that_is_not_there_names_no_model() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gone = url(*listener.getsockname())

    assert first_model(gone) is None


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
    ],
)
def test_the_address_is_one_that_can_be_connected_to(host: str, expected: str) -> None:
    assert url(host, 80) == expected


def test_the_curl_line_is_a_valid_request_for_any_model_name() -> None:
    said = text("http://127.0.0.1:8080", "http://127.0.0.1:9090", ["10.0.0.1:8000"], "it's")

    words = shlex.split(said[said.index("curl") : said.index("\n\n", said.index("curl"))])

    assert words[1] == "http://127.0.0.1:8080/v1/chat/completions"
    assert json.loads(words[words.index("-d") + 1])["model"] == "it's"


def test_without_a_model_it_says_that_the_name_has_to_be_replaced() -> None:
    said = text("http://127.0.0.1:8080", "http://127.0.0.1:9090", ["10.0.0.1:8000"], None)

    assert '"my-model"' in said
    assert "No server answered GET /v1/models" in said


def test_it_names_the_servers_and_where_to_look() -> None:
    said = text("http://x:1", "http://y:2", ["10.0.0.1:8000", "10.0.0.2:8000"], "m")

    assert "10.0.0.1:8000, 10.0.0.2:8000" in said
    assert "http://y:2/decisions" in said
