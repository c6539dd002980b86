"""What a process has used."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys

import pytest

from benchmarks.load.usage import usage
from epp.demo.leash import leashed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, which Linux has")

BURN = "import time\nwhile time.process_time() < {}: pass\n"


def _run(program: str) -> float:
    """Start a program that burns time and says so; return the CPU seconds that it shows then."""
    command = leashed([sys.executable, "-c", program])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        seen = usage(process.pid).cpu_s
        process.stdin.close()
    return seen


def test_the_time_of_a_thread_that_ended_counts() -> None:
    program = (
        "import threading\n"
        "import sys, time\ndef burn():\n    while time.thread_time() < 0.2: pass\n"
        "t = threading.Thread(target=burn); t.start(); t.join()\n"
        "print('done', flush=True); sys.stdin.read()"
    )
    assert 0.2 <= _run(program) < 2


@pytest.mark.parametrize("ended", [True, False], ids=["ended", "running"])
def test_the_time_of_a_child_counts_whether_it_ended_or_not(ended: bool) -> None:
    child = BURN.format(0.3) + "print('done', flush=True)\n"
    child += "" if ended else "import sys; sys.stdin.read()"
    program = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        + ("child.wait()\n" if ended else "")
        + "print('done', flush=True); sys.stdin.read()\n"
    )
    assert 0.29 <= _run(program) < 2


def test_memory_is_what_the_process_has_resident() -> None:
    before = usage(os.getpid()).rss_mib
    # Mapped anew: an object of this size may get pages that were freed before and count already.
    with mmap.mmap(-1, 64 << 20) as block:
        block.write(bytes(64 << 20))
        assert usage(os.getpid()).rss_mib >= before + 60
