"""A leashed child ends with its parent, however that ends."""

from __future__ import annotations

import os
import select
import subprocess
import sys

import pytest

from epp.demo.leash import leashed

PARENT = """
import subprocess, sys, time
from epp.demo.leash import leashed
child = subprocess.Popen(leashed([sys.executable, "-c", "import time; time.sleep(60)"]))
time.sleep(0.2)
print(child.pid, flush=True)
time.sleep(60)
"""


LINUX = pytest.mark.skipif(
    sys.platform != "linux",
    reason="elsewhere there is no leash: kernels tell no child of its parent's end",
)


def test_the_command_runs_with_its_arguments() -> None:
    command = leashed([sys.executable, "-c", "import sys; print(sys.argv[1:])", "a b", "-c"])

    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)

    assert result.stdout.strip() == "['a b', '-c']"


@LINUX
def test_a_killed_parent_takes_the_child_with_it() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        try:
            assert not select.select([child], [], [], 0)[0]

            parent.kill()

            assert select.select([child], [], [], 5)[0]
        finally:
            os.close(child)


@LINUX
def test_a_child_whose_parent_is_gone_already_does_not_start() -> None:
    command = leashed([sys.executable, "-c", "print('started')"])
    command[command.index(str(os.getpid()))] = "1"

    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)

    assert (result.returncode, result.stdout) == (1, "")
