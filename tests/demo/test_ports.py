"""Ports: a taken one is reported before anything starts."""

from __future__ import annotations

import socket

import pytest

from epp.demo.ports import PortError, free_port, parse_listen, require_free


def test_a_free_port_can_be_listened_on() -> None:
    require_free("127.0.0.1", free_port(), "--listen")


def test_the_error_names_address_port_and_option() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(PortError, match=rf"127\.0\.0\.1 port {port}: .* --listen"):
            require_free("127.0.0.1", port, "--listen")


def test_a_port_that_its_owner_would_share_counts_as_taken() -> None:
    with (
        socket.create_server(("127.0.0.1", 0), reuse_port=True) as listener,
        pytest.raises(PortError),
    ):
        require_free("127.0.0.1", listener.getsockname()[1], "--listen")


def test_an_address_of_another_machine_is_reported_too() -> None:
    with pytest.raises(PortError, match="--listen"):
        require_free("192.0.2.1", 8080, "--listen")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        (":8080", ("127.0.0.1", 8080)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("[::1]:8080", ("::1", 8080)),
    ],
)
def test_an_address_to_listen_on(text: str, address: tuple[str, int]) -> None:
    assert parse_listen(text, "--listen") == address


@pytest.mark.parametrize("text", ["", "8080x", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http"])
def test_an_address_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(PortError, match=r"--listen .*: write it like 127\.0\.0\.1:8080"):
        parse_listen(text, "--listen")


def test_a_port_above_the_last_one_is_refused() -> None:
    with pytest.raises(PortError, match="--listen"):
        require_free("127.0.0.1", 65536, "--listen")
