"""Run a command that ends when this process does, however that ends.

A `finally` does not run in a process that is killed, and its children go on holding their ports.
Linux can tell a child of its parent's death, if the child asks. Asking between fork and exec
(`preexec_fn`) is unsafe where threads run, and gRPC has some; so this file, run as a script, asks
and then becomes the command. Elsewhere the command runs as it is.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1


def leashed(command: Sequence[str]) -> list[str]:
    """The command line that runs `command`, an absolute path first, on a leash."""
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def _become(parent_pid: int, command: list[str]) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it died before the request was made
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - the point of this file


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
