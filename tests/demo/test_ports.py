"""Ports: a taken one is reported before anything starts."""

from __future__ import annotations

import socket

import pytest

from epp.demo.ports import PortTakenError, free_port, require_free


def test_a_free_port_can_be_listened_on() -> None:
    require_free("127.0.0.1", free_port(), "--listen")


def test_the_error_names_address_port_and_option() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(PortTakenError, match=rf"127\.0\.0\.1 port {port}: .* --listen"):
            require_free("127.0.0.1", port, "--listen")


def test_a_port_that_its_owner_would_share_counts_as_taken() -> None:
    with (
        socket.create_server(("127.0.0.1", 0), reuse_port=True) as listener,
        pytest.raises(PortTakenError),
    ):
        require_free("127.0.0.1", listener.getsockname()[1], "--listen")


def test_an_address_of_another_machine_is_reported_too() -> None:
    with pytest.raises(PortTakenError, match="--listen"):
        require_free("192.0.2.1", 8080, "--listen")
