"""kubectl, run as a user would."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from pathlib import Path


class Kubectl:
    """Runs the kubectl of this environment against one server."""

    def __init__(self, kubeconfig: Path, cache: Path) -> None:
        self._flags = ["--kubeconfig", str(kubeconfig), "--cache-dir", str(cache)]

    async def start(self, *arguments: str, stdin: int | None = None) -> Process:
        program = Path(sys.executable).with_name("kubectl")
        return await asyncio.create_subprocess_exec(
            program, *self._flags, *arguments, stdin=stdin, stdout=PIPE, stderr=STDOUT, env={}
        )

    async def run(self, *arguments: str, stdin: str = "") -> tuple[int | None, str]:
        """Return the exit code and the output."""
        process = await self.start(*arguments, stdin=PIPE)
        out, _ = await process.communicate(stdin.encode())
        return process.returncode, out.decode()

    async def says(self, *arguments: str, stdin: str = "") -> str:
        """Return the output of what must succeed."""
        code, out = await self.run(*arguments, stdin=stdin)
        assert code == 0, out
        return out.strip()
