"""A picker under comparison: a command line that is started, parked and measured."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from epp.demo.leash import leashed
from epp.demo.ports import free_port

START_TIMEOUT_S = 30.0
END_TIMEOUT_S = 10.0


class Spec(msgspec.Struct, frozen=True):
    """A picker as it is written on the command line: `name=command with {grpc} {health} ...`."""

    name: str
    command: str

    @classmethod
    def parse(cls, text: str) -> Spec:
        """Read one; ValueError says what is missing."""
        name, equals, command = text.partition("=")
        if not (name and equals and command.strip()):
            raise ValueError(f"--picker {text!r}: write it as 'name=command'")
        if missing := [p for p in ("{grpc}", "{endpoints}") if p not in command]:
            raise ValueError(f"--picker {name}: the command lacks {' and '.join(missing)}")
        return cls(name, command)

    def arguments(self, places: dict[str, str]) -> list[str]:
        """Return the command line. Other braces stay: a configuration may be written in JSON."""
        words = shlex.split(self.command)
        program = shutil.which(words[0])
        if program is None:
            raise ValueError(f"--picker {self.name}: there is no program {words[0]}")
        for key, value in places.items():
            words = [word.replace("{" + key + "}", value) for word in words]
        return [str(Path(program).absolute()), *words[1:]]


class Contender:
    """A running picker. While it is parked it does nothing at all, scraping included."""

    def __init__(self, spec: Spec, process: Process, grpc_port: int, log: Path) -> None:
        self.spec = spec
        self.grpc_port = grpc_port
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def park(self) -> None:
        """Hold it, so that it takes no time from another."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it run."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self._process.returncode is not None:
            raise RuntimeError(self._early_end())
        os.killpg(self.pid, number)

    async def _until_listening(self) -> None:
        async with asyncio.timeout(START_TIMEOUT_S):
            while not await _listens(self.grpc_port):
                if self._process.returncode is not None:
                    raise RuntimeError(self._early_end())
                await asyncio.sleep(0.05)

    async def _end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGCONT)
            os.killpg(self.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(END_TIMEOUT_S):
                await self._process.wait()
        except TimeoutError:
            os.killpg(self.pid, signal.SIGKILL)
            await self._process.wait()

    def _early_end(self) -> str:
        tail = "\n".join(self._log.read_text(errors="replace").splitlines()[-5:])
        return f"{self.spec.name} ended with status {self._process.returncode}:\n{tail}"


@asynccontextmanager
async def running(spec: Spec, replicas: Sequence[int], folder: Path) -> AsyncIterator[Contender]:
    """The picker with these ports of loopback as its endpoints, until the block ends."""
    endpoints = _prepare(folder, replicas)
    ports = {name: str(free_port()) for name in ("grpc", "health", "metrics")}
    command = spec.arguments({**ports, "endpoints": str(endpoints)})
    log_path = folder / "picker.log"
    with log_path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *leashed(command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a group of its own, so that children are parked with it
        )
    contender = Contender(spec, process, int(ports["grpc"]), log_path)
    try:
        await contender._until_listening()
        yield contender
    finally:
        await contender._end()


def endpoints_file(ports: Sequence[int]) -> bytes:
    """Write the endpoints as llm-d-router's file discovery and our own `--endpoints-file` do."""
    entries = [
        {"name": f"replica-{n}", "address": "127.0.0.1", "port": str(port)}
        for n, port in enumerate(ports)
    ]
    return msgspec.json.encode({"endpoints": entries})  # JSON is YAML


def _prepare(folder: Path, replicas: Sequence[int]) -> Path:
    folder.mkdir()
    path = folder / "endpoints.yaml"
    path.write_bytes(endpoints_file(replicas))
    return path


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    return True
