from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from epp.server.native import listen, memory
from epp.server.native.wire import Wires

# In a process of its own: the settings are for good. Each block is written to, so that it is real.
BLOCKS = """
import resource, sys
from pathlib import Path
from epp.server.native import memory

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

if sys.argv[1] == "kept":
    assert memory.keep_large_blocks()
before = held()
blocks = [bytearray(b"x") * 1_000_000 for _ in range(100)]
del blocks
kept = held() - before
memory.give_back()
print(kept, held() - before)
"""


def left_of_100_mb(how: str) -> tuple[int, int]:
    """Return what is held after blocks were freed, and after memory was given back."""
    command = [sys.executable, "-c", BLOCKS, how]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    kept, after = done.stdout.split()
    return int(kept), int(after)


glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="other C libraries have no such settings"
)


@glibc
def test_memory_of_large_bodies_is_kept_for_the_next_and_can_be_given_back() -> None:
    kept, after = left_of_100_mb("kept")
    assert kept > 80_000_000
    assert after < 10_000_000
    assert left_of_100_mb("as ever")[0] < 10_000_000


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not memory.keep_large_blocks()


def test_memory_is_given_back_in_a_quiet_second_after_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[None] = []
    monkeypatch.setattr(memory, "give_back", lambda: given.append(None))
    wires = Wires()
    listener = listen.NativeListener(wires, None)
    much = listen.MUCH_BYTES
    for received, times in [(0, 0), (much, 0), (1, 0), (0, 1), (0, 1), (10, 1), (0, 1)]:
        wires.received += received
        listener._give_back()
        assert len(given) == times
